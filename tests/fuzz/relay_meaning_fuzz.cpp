// Two connections of one worker, each a conversation that the fuzzer's bytes make up: what either side
// means, how it frames, compresses and cuts it, how much room the relay has, and who ends it and how. Both
// sides keep the protocol, so what arrives is exactly what was meant, in order; a faulty peer is
// relay_conversation_fuzz's business.

#include <vector>

#include "fuzz/relay_meaning_connection.hpp"

namespace wsproxy::test {
namespace {

constexpr std::array<std::size_t, 4> kRooms{1, 4096, 70000, SIZE_MAX};
constexpr std::string_view kGoingAway{"\x03\xe9going away", 12};
constexpr std::string_view kAppLost{"\x03\xf3the application went away", 27};
constexpr std::string_view kNone{"no close frame has this payload"};
constexpr std::string_view kAny{"nor this"};

constexpr Leg other(Leg leg) {
  return leg == Leg::client ? Leg::app : Leg::client;
}

}  // namespace

void Connection::act(unsigned what, Choices& choices) {
  if (gave_up_) return;  // both legs are cut
  const Leg leg = (what & 1U) != 0 ? Leg::app : Leg::client;
  switch (what >> 1U & 7U) {
    case 0:
    case 1:
      return say_message(leg, choices);
    case 2: {
      const std::uint8_t kind = choices.byte();
      const std::string_view payload = choices.take(std::min<std::size_t>(kind & 0x7FU, 125));
      if (leg == Leg::client && kind == 0x80) return from(leg).speaker.control(10, last_ping_);
      return from(leg).speaker.control((kind & 0x80U) != 0 ? 10 : 9, payload);
    }
    case 3:
    case 4: {
      const std::size_t size = choices.byte();
      return give(leg, size == 0 ? SIZE_MAX : (what & 2U) != 0 ? size : size * 300);
    }
    case 5: {
      const std::size_t size = choices.byte();
      return toward(leg).write_out(size == 0 ? toward(leg).queue.size()
                                             : std::min(size * 300, toward(leg).queue.size()));
    }
    case 6:
      toward(leg).room = kRooms.at(choices.byte() & 3U);
      return;
    default:
      return leg == Leg::client ? ping() : end_somehow(choices);
  }
}

void Connection::say_message(Leg leg, Choices& choices) {
  const std::uint8_t how = choices.byte();
  const bool is_text = (how & 1U) != 0;
  const std::string_view cuts = choices.take(how >> 1U & 3U);
  Speaker& speaker = from(leg).speaker;
  // A run costs at most a second.
  const bool is_much = speaker.said() > 200'000;
  std::string text = choose_payload(choices, is_text, is_much ? 100 : leg == Leg::client ? most_ : SIZE_MAX);
  std::optional<std::string> packed;
  if (leg == Leg::client && deflater_ && (how & 8U) == 0) {
    packed = deflater_->message(text, PlainDeflater::Ending{static_cast<std::uint8_t>(how >> 4U & 3U)});
  }
  speaker.message(is_text ? 1 : 2, std::move(text), packed, cuts, (how & 64U) != 0);
}

void Connection::say_close(Leg leg, Choices& choices) {
  const std::uint8_t kind = choices.byte();
  std::string payload;
  if (kind != 0) {
    const unsigned code = std::array{1000U, 1001U, 1011U, 3000U + kind}.at(kind & 3U);
    payload = {static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU)};
    payload += as_utf8(choices.take(kind >> 4U));
  }
  from(leg).speaker.close(payload);
}

void Connection::end_somehow(Choices& choices) {
  switch (choices.byte() % 6) {
    case 0:
      return close();
    case 1:
      return say_close(Leg::client, choices);
    case 2:
      return say_close(Leg::app, choices);
    case 3:
      return end(Leg::client);
    case 4:
      return end(Leg::app);
    default:
      return give_up();
  }
}

void Connection::give(Leg leg, std::size_t most) {
  Direction& way = from(leg);
  // As the session does: a leg is read while there is room for what it says, and until its end.
  if (has_ended(leg) || way.queue.size() >= way.room) return;
  const base::Bytes said = base::as_bytes(way.speaker.wire().substr(0, most));
  // Memory of its own, so that a sanitizer sees a reader that goes past it.
  std::vector<std::byte> piece(said.begin(), said.end());
  const std::uint64_t taken_before = way.speaker.taken();
  const std::size_t queued_before = way.queue.size();
  const bool was_stalled = relay_.is_stalled(leg);

  const std::size_t used = relay_.received(leg, piece, output());
  require(used <= piece.size(), "used is at most what was given");
  require(used > 0 || piece.empty() || was_stalled || way.queue.size() > queued_before, "room is progress");
  require(way.room == SIZE_MAX || way.queue.size() <= way.room + relay::kRoomOvershoot,
          "output keeps to its room");
  way.speaker.take(used);
  if (leg == Leg::client) swallow_our_pong(taken_before);
  const bool has_closed = way.speaker.close_is_taken();
  const std::string_view passed_on = has_closed ? way.speaker.close_payload() : kNone;
  if (leg == Leg::client) {
    hear(kNone, passed_on);
  } else {
    hear(close_waits_ ? kGoingAway : passed_on, kNone);
    require(!close_waits_ || !app_is_between_messages() || is_closed(Leg::client),
            "our close waits no longer");
    require(!close_waits_ || !is_closed(Leg::client) || !app_is_inside_message(taken_before),
            "our close waits for the end of a message");
  }
  require(!has_closed || is_closed(other(leg)) || has_ended(other(leg)), "a close frame goes on");
  // A client that closes first is answered by the app.
  if (is_closed(Leg::client) || (leg == Leg::client && has_closed)) close_waits_ = false;
}

void Connection::swallow_our_pong(std::uint64_t taken_before) {
  std::erase_if(to_app_.meant, [&](const Meant& meant) {
    const bool is_taken_now = meant.end > taken_before && meant.end <= to_app_.speaker.taken();
    if (!is_taken_now || meant.opcode != 10 || meant.payload != expected_pong_) return false;
    expected_pong_.reset();
    return true;
  });
}

void Connection::ping() {
  const std::array<std::byte, 8> payload{std::byte{pings_++}};
  const bool may = !is_closed(Leg::client);
  require(relay_.ping_client(payload, output()) == may, "a ping of ours goes out before a close frame only");
  if (may) {
    expected_pong_ = last_ping_ = base::as_text(payload);
    to_client_.meant.push_front({9, last_ping_, 0, 0});
  }
  hear(kNone, kNone);
}

void Connection::close() {
  close_waits_ = close_waits_ || !relay_.is_closing();
  relay_.close(relay::EndedBy::operator_, 1001, "going away", output());
  hear(close_waits_ ? kGoingAway : kNone, kNone);
  if (close_waits_ && app_is_between_messages()) require(is_closed(Leg::client), "nothing to wait for");
  require(!close_waits_ || !is_closed(Leg::client) || !app_is_inside_message(to_client_.speaker.taken()),
          "our close cuts no message off");
  if (is_closed(Leg::client)) close_waits_ = false;
}

void Connection::end(Leg leg) {
  // The session reads no end of file while something that was read before it waits for room.
  if (has_ended(leg) || relay_.is_stalled(leg)) return;
  has_ended(leg) = true;
  close_waits_ = false;
  relay_.ended(leg, "end of file", output());
  if (leg == Leg::client) return hear(kNone, kNone);
  const Speaker& client = to_app_.speaker;
  hear(client.close_is_taken() ? std::string_view{client.close_payload()}.substr(0, 2) : kAppLost, kNone);
  require(is_closed(Leg::client) || client_ended_, "the client learns that the app is gone");
}

void Connection::give_up() {
  relay_.give_up(output());
  hear(kAny, kAny);
  require(is_closed(Leg::client) || client_ended_, "the client gets a close frame at last");
  const bool vanished = client_ended_ && !to_client_.speaker.close_is_taken();
  require(is_closed(Leg::app) || app_ended_ || vanished || relay_.must_cut(Leg::app), "the app gets one too");
  gave_up_ = true;
}

void Connection::hear(std::string_view client_close, std::string_view app_close) {
  hear(Leg::client, client_close);
  hear(Leg::app, app_close);
  require(to_client_.listener.is_between_frames(), "the client leg is between two frames");
  require(relay_.fault(Leg::client) == websocket::Fault::none, "the client broke no rule");
  require(relay_.fault(Leg::app) == websocket::Fault::none, "the app broke no rule");
  require(worker_.text.empty() && worker_.packed.empty(), "the scratch is empty between calls");
  require(!relay_.may_shut_down(Leg::client) || is_closed(Leg::client), "no shutting down without a close");
}

/// `close` is the payload of the close frame that this call may have sent.
void Connection::hear(Leg leg, std::string_view close) {
  Direction& way = toward(leg);
  const bool was_closed = is_closed(leg);
  way.hear();
  if (!was_closed && is_closed(leg))
    require(close == kAny || close == way.listener.closed(), "the right close");
  // All that is taken has arrived, unless a close of ours or of the other side came before it.
  const bool is_cut_off =
      was_closed || (is_closed(leg) && !way.speaker.close_is_taken()) || close == kAny || close == kGoingAway;
  if (is_cut_off || relay_.is_stalled(other(leg))) return;
  require(way.meant.empty() || way.meant.front().end > way.speaker.taken(), "what is taken goes on at once");
}

/// For sure, where `taken` of its bytes end: ten complete any header of an app.
bool Connection::app_is_inside_message(std::uint64_t taken) const {
  return std::ranges::any_of(
      to_client_.meant, [&](const Meant& meant) { return meant.opcode < 8 && meant.begin + 10 <= taken; });
}

bool Connection::app_is_between_messages() const {
  return std::ranges::none_of(to_client_.meant, [this](const Meant& meant) {
    return meant.opcode < 8 && meant.begin < to_client_.speaker.taken();
  });
}

void Connection::settle() {
  for (int i = 0; i < 4000 && !gave_up_; ++i) {
    for (const Leg leg : {Leg::client, Leg::app}) {
      toward(leg).room = std::max<std::size_t>(toward(leg).room, 4096);
      toward(leg).write_out(toward(leg).queue.size());
    }
    if (is_settled(Leg::client) && is_settled(Leg::app)) break;
    give(Leg::client, SIZE_MAX);
    give(Leg::app, SIZE_MAX);
  }
  require(gave_up_ || (is_settled(Leg::client) && is_settled(Leg::app)), "it comes to an end");
  to_client_.listener.end();
  to_app_.listener.end();
}

}  // namespace wsproxy::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wsproxy;
  using namespace wsproxy::test;
  Choices choices{{reinterpret_cast<const char*>(data), size}};
  const std::uint8_t shared = choices.byte();
  Worker worker{shared};
  {
    const Setup first{choices};
    const Setup second{choices};
    Connection one{worker, first};
    Connection two{worker, second};
    while (!choices.empty()) {
      const std::uint8_t what = choices.byte();
      ((what & 0xC0U) == 0xC0 ? two : one).act(what & 15U, choices);
    }
    one.settle();
    two.settle();
  }
  worker.codecs.encoders.retire_all();
  worker.codecs.shared.give_up(true);
  require(worker.codecs.shared.value_count() == 0, "no shared history is left");
  for (int rounds = 0; rounds < 3; ++rounds) worker.codecs.end_round(1000);
  require(worker.codecs.budget.used() == 0 || worker.codecs.decoders.idle_count() > 0,
          "nothing is left of the memory");
  return 0;
}
