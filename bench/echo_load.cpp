#include "echo_load.hpp"

#include <stdexcept>

#include "storm.hpp"

namespace bench {
namespace {

constexpr std::string_view kPath = "/echo";

}  // namespace

void EchoLoad::connect() {
  // The first handshake tells the agreement that the messages have to be encoded for.
  agreement_ = Connection(options_.server, kPath, options_.offer()).agreement();
  scripts_.emplace(Scripts::Plan{.kind = options_.kind,
                                 .connections = options_.connections,
                                 .messages = options_.warmup + options_.messages,
                                 .seed = options_.seed,
                                 .agreement = agreement_});
  members_.reserve(options_.connections);
  for (std::size_t i = 0; i < options_.connections; ++i) {
    members_.push_back({Connection(options_.server, kPath, options_.offer())});
    if (members_.back().connection.agreement() != agreement_)
      throw std::runtime_error("two connections with different agreements");
    poller_.add(members_.back().connection.channel().socket(), i);
  }
}

void EchoLoad::warm_up() {
  Result ignored;
  run_closed_loop(options_.warmup, ignored);
}

Result EchoLoad::run() {
  Result result;
  result.latencies_ns.reserve(options_.connections * options_.messages);
  result.tls = members_.front().connection.channel().tls_description();
  count_bytes(result, -1);
  std::optional<Storm> storm;
  if (options_.storm > 0) storm.emplace(options_.server, options_.storm);
  const std::int64_t start = now_ns();
  if (options_.rate > 0)
    run_at_rate(options_.messages, result);
  else
    run_closed_loop(options_.messages, result);
  result.seconds = static_cast<double>(now_ns() - start) * 1e-9;
  if (storm) result.storm_handshakes = storm->end();
  count_bytes(result, +1);
  return result;
}

void EchoLoad::disconnect() {
  for (auto& member : members_) member.connection.say_goodbye();
  members_.clear();
}

void EchoLoad::run_closed_loop(std::size_t messages, Result& result) {
  const std::size_t total = messages * members_.size();
  const std::size_t goal = members_.front().next_to_send + messages;
  for (std::size_t i = 0; i < members_.size(); ++i)
    while (members_[i].next_to_send < goal && members_[i].sent_at_ns.size() < options_.depth)
      send_next(i, now_ns());
  for (std::size_t answered = 0; answered < total;) {
    for (const auto& event : poller_.wait()) {
      std::size_t came = collect(event, result);
      answered += came;
      for (; came > 0 && members_[event.tag].next_to_send < goal; --came) send_next(event.tag, now_ns());
    }
  }
}

void EchoLoad::run_at_rate(std::size_t messages, Result& result) {
  const std::size_t total = messages * members_.size();
  const double gap_ns = 1e9 / options_.rate;
  const std::int64_t start = now_ns();
  const auto due = [&](std::size_t i) {
    return start + static_cast<std::int64_t>(static_cast<double>(i) * gap_ns);
  };
  std::size_t sent = 0;
  for (std::size_t answered = 0; answered < total;) {
    for (; sent < total && due(sent) <= now_ns(); ++sent) {
      result.lateness_ns.push_back(now_ns() - due(sent));
      send_next(sent % members_.size(), due(sent));
    }
    for (const auto& event : poller_.wait(sent < total ? due(sent) : 0)) answered += collect(event, result);
  }
}

void EchoLoad::send_next(std::size_t index, std::int64_t at_ns) {
  Member& member = members_[index];
  member.sent_at_ns.push_back(at_ns);
  member.connection.send(scripts_->at(index, member.next_to_send++).frame);
}

std::size_t EchoLoad::collect(const Poller::Event& event, Result& result) {
  Member& member = members_[event.tag];
  if (event.may_write) member.connection.flush();
  std::size_t count = 0;
  member.connection.read([&](Opcode opcode, std::string_view text) {
    if (member.sent_at_ns.empty()) throw std::runtime_error("an answer to nothing");
    check(event.tag, opcode, text);
    ++member.next_to_come;
    ++count;
    ++result.messages;
    result.payload_bytes += text.size();
    result.latencies_ns.push_back(now_ns() - member.sent_at_ns.front());
    member.sent_at_ns.pop_front();
  });
  return count;
}

void EchoLoad::check(std::size_t index, Opcode opcode, std::string_view text) const {
  const Opcode sent = is_text(options_.kind) ? Opcode::text : Opcode::binary;
  if (opcode != sent || text != scripts_->at(index, members_[index].next_to_come).payload)
    throw std::runtime_error("an answer differs from what was sent");
}

void EchoLoad::count_bytes(Result& result, int sign) const {
  for (const auto& member : members_) {
    const Channel& channel = member.connection.channel();
    result.received_bytes += channel.received_bytes() * static_cast<std::uint64_t>(sign);
    result.sent_bytes += channel.sent_bytes() * static_cast<std::uint64_t>(sign);
  }
}

}  // namespace bench
