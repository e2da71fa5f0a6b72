#include "doctor/conversation.hpp"

#include "doctor/offers.hpp"

namespace wsproxy::doctor {
namespace {

constexpr std::size_t kMostHead = std::size_t{64} << 10;
/// Of messages that nobody waits for; who sends more of them is not remembered.
constexpr std::size_t kMostKept = std::size_t{16} << 20;

bool nothing_matches(const ServerEvent&) {
  return false;
}

Wire::Patience time_until(std::chrono::steady_clock::time_point deadline) {
  return std::chrono::duration_cast<Wire::Patience>(deadline - std::chrono::steady_clock::now());
}

}  // namespace

Conversation::Conversation(const Target& target, std::vector<std::string>& breaches)
    : target_(&target), breaches_(&breaches) {
}

Conversation::Answer Conversation::ask(const UpgradeRequest& request) {
  return ask_in_pieces(request, 1);
}

Conversation::Answer Conversation::ask_in_pieces(const UpgradeRequest& request, std::size_t pieces) {
  if (!wire_.open(*target_, {})) {
    problem_ = wire_.problem();
    return Answer::none;
  }
  const std::string text = request.text();
  const std::size_t size = (text.size() + pieces - 1) / pieces;
  for (std::size_t begin = 0; begin < text.size(); begin += size) {
    if (!send(std::string_view{text}.substr(begin, size))) break;  // the answer may be there already
    base::ByteQueue early;
    const bool is_last = begin + size >= text.size();
    if (!is_last && wire_.receive(early, std::chrono::milliseconds{5}) != Wire::Receipt::nothing) {
      problem_ = "an answer before the request was complete";
      return Answer::none;
    }
  }
  return read_answer(request);
}

Conversation::Answer Conversation::read_answer(const UpgradeRequest& request) {
  http::ResponseHeadReader reader{kMostHead};
  const auto deadline = std::chrono::steady_clock::now() + target_->patience;
  for (;;) {
    base::ByteQueue input;
    const auto receipt = wire_.receive(input, std::max(time_until(deadline), Wire::Patience{0}));
    if (receipt != Wire::Receipt::bytes) {
      is_over_ = receipt == Wire::Receipt::end;
      problem_ = is_over_ ? "the connection ended without an answer" : "no answer in time";
      if (is_over_ && !wire_.problem().empty()) problem_ += ": " + wire_.problem();
      return Answer::none;
    }
    std::size_t used = 0;
    const auto status = reader.feed(input.view(), used);
    if (status == http::HeadStatus::need_more) continue;
    if (status != http::HeadStatus::complete) {
      problem_ = "not an answer of HTTP: " + std::string{reader.problem()};
      return Answer::none;
    }
    head_ = std::move(reader.head());
    const Answer answer = judge(request);
    if (answer == Answer::switched) {
      reader_.emplace(agreed_);
      read(input.view().subspan(used));
    }
    return answer;
  }
}

Conversation::Answer Conversation::judge(const UpgradeRequest& request) {
  if (head_.status != 101) {
    problem_ = "the answer is " + std::to_string(head_.status) + " " + head_.reason;
    return Answer::refused;
  }
  problem_ = problem_with_answer(request, head_);
  if (problem_.empty()) {
    problem_ = judge_extensions(request.value("Sec-WebSocket-Extensions"),
                                head_.fields.joined("Sec-WebSocket-Extensions"),
                                head_.fields.count("Sec-WebSocket-Extensions") != 0, agreed_);
  }
  return problem_.empty() ? Answer::switched : Answer::wrong;
}

bool Conversation::open(std::string_view offer) {
  UpgradeRequest request{*target_};
  if (!offer.empty()) request.add("Sec-WebSocket-Extensions", std::string{offer});
  return ask(request) == Answer::switched;
}

bool Conversation::send(std::string_view bytes) {
  return wire_.send(base::as_bytes(bytes), target_->patience) == Wire::Progress::taken;
}

void Conversation::read(base::Bytes bytes) {
  if (!reader_->feed(bytes) && !reader_->is_over_bound()) breaches_->push_back(reader_->problem());
}

std::optional<Conversation::End> Conversation::take_events(
    const std::function<bool(const ServerEvent&)>& matches) {
  while (auto event = reader_->take()) {
    if (event->opcode == websocket::Opcode::pong) ++pongs_;
    if (matches(*event)) return End::found;
    if (event->opcode == websocket::Opcode::close) {
      close_ = std::move(*event);
      return End::closed;
    }
    if (is_control(event->opcode)) continue;
    kept_bytes_ += event->payload.size();
    if (kept_bytes_ <= kMostKept) messages_.push_back(std::move(*event));
  }
  if (reader_->problem().empty()) return std::nullopt;
  problem_ = reader_->problem();
  return reader_->is_over_bound() ? End::too_much : End::breach;
}

Conversation::End Conversation::wait(const std::function<bool(const ServerEvent&)>& matches,
                                     Wire::Patience patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    if (const auto end = take_events(matches)) return *end;
    base::ByteQueue input;
    const auto receipt = wire_.receive(input, std::max(time_until(deadline), Wire::Patience{0}));
    if (receipt == Wire::Receipt::nothing) return End::silent;
    if (receipt == Wire::Receipt::end) return End::ended;
    read(input.view());
  }
}

Conversation::End Conversation::ping() {
  const std::string payload = "wsproxy doctor " + std::to_string(++pings_);
  send(RawFrame{.opcode = kPing, .payload = payload});
  return wait([&](const ServerEvent& event) {
    return event.opcode == websocket::Opcode::pong && event.payload == payload;
  });
}

Conversation::End Conversation::wait_for_close() {
  return wait(nothing_matches);
}

Conversation::End Conversation::wait_for_echoes(std::span<const std::string_view> texts) {
  return wait([&](const ServerEvent& event) {
    if (is_control(event.opcode)) return false;
    if (event.payload == texts.front()) texts = texts.subspan(1);
    if (!texts.empty()) return false;
    messages_.push_back(event);
    return true;
  });
}

bool Conversation::is_answered_behind_close() {
  ServerReader behind{Agreed{}};
  behind.feed(reader_->behind_close());
  const auto deadline = std::chrono::steady_clock::now() + target_->patience;
  for (;;) {
    while (const auto event = behind.take()) {
      if (event->opcode == websocket::Opcode::pong) return true;
    }
    base::ByteQueue input;
    const auto left = time_until(deadline);
    if (left <= Wire::Patience{0} || wire_.receive(input, left) != Wire::Receipt::bytes) return false;
    if (!behind.feed(input.view())) return false;
  }
}

std::string Conversation::told(End end) const {
  switch (end) {
    case End::found:
      return {};
    case End::closed:
      return "closed with " + std::to_string(close_.close_code) +
             (close_.payload.empty() ? "" : " \"" + close_.payload + "\"");
    case End::ended:
      return "the connection ended without a close frame";
    case End::silent:
      return "no answer in time";
    case End::breach:
    case End::too_much:
      return problem_;
  }
  return {};
}

}  // namespace wsproxy::doctor
