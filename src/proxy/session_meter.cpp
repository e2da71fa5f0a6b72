#include "proxy/session_meter.hpp"

namespace wsproxy::proxy {

using telemetry::Direction;
using telemetry::DirectionCounters;

namespace {

constexpr Direction direction_to(relay::Leg leg) {
  return leg == relay::Leg::client ? Direction::to_client : Direction::to_app;
}

constexpr Direction direction_from(relay::Leg leg) {
  return leg == relay::Leg::client ? Direction::to_app : Direction::to_client;
}

constexpr std::size_t side_of(relay::Leg leg) {
  return telemetry::index(leg == relay::Leg::client ? telemetry::Side::client : telemetry::Side::app);
}

}  // namespace

void SessionMeter::on_message(relay::Leg to, websocket::Opcode type, bool compressed, std::uint64_t size) {
  const std::size_t d = telemetry::index(direction_to(to));
  const std::size_t kind = type == websocket::Opcode::text ? 0 : 1;
  for (DirectionCounters* counters : {&share_.cell().relayed[d], &own_[d]}) {
    ++counters->messages[kind][compressed ? 1 : 0];
    counters->payload_bytes += size;
  }
  worker_.message_bytes.observe(size);
}

void SessionMeter::on_compressed(std::size_t text, std::size_t packed, std::uint64_t nanoseconds) {
  worker_.compression_input_bytes += text;
  worker_.compression_output_bytes += packed;
  worker_.compress_ns += nanoseconds;
}

void SessionMeter::on_shared(std::size_t text, std::size_t packed) {
  worker_.compression_input_bytes += text;
  worker_.compression_output_bytes += packed;
  ++worker_.compression_shared;
}

void SessionMeter::on_bypassed(deflate::Bypass reason, std::uint64_t nanoseconds) {
  // Bypass::none is no reason and has no counter.
  static_assert(telemetry::kBypassNames.size() == deflate::kBypassCount - 1);
  ++worker_.bypassed[static_cast<std::size_t>(reason) - 1];
  worker_.compress_ns += nanoseconds;
}

void SessionMeter::on_inflated(std::uint64_t nanoseconds) {
  worker_.decompress_ns += nanoseconds;
}

void SessionMeter::on_observed(const deflate::Observation& observation) {
  static_assert(telemetry::kTrialNames.size() == deflate::kTrials.size());
  telemetry::ObservedCounters& observed = worker_.observed;
  ++observed.seen_messages;
  observed.seen_bytes += observation.size;
  if (observation.is_broadcast) ++observed.broadcasts;
  if (!observation.tried) return;
  telemetry::TrialCounters& trial = observed.trials.at(*observation.tried);
  ++trial.messages;
  trial.input_bytes += observation.size;
  trial.output_bytes += observation.output;
  trial.compress_ns += observation.nanoseconds;
  observed.spent_ns += observation.spent;
  if (observation.bypass != deflate::Bypass::none) {
    ++observed.bypassed.at(static_cast<std::size_t>(observation.bypass) - 1);
  }
}

void SessionMeter::on_read(relay::Leg from, std::size_t bytes) {
  add_wire_bytes(direction_from(from), from, bytes);
}

void SessionMeter::on_written(relay::Leg to, std::size_t bytes) {
  add_wire_bytes(direction_to(to), to, bytes);
}

void SessionMeter::add_wire_bytes(Direction direction, relay::Leg leg, std::size_t bytes) {
  const std::size_t d = telemetry::index(direction);
  share_.cell().relayed[d].wire_bytes[side_of(leg)] += bytes;
  own_[d].wire_bytes[side_of(leg)] += bytes;
}

void SessionMeter::on_backpressure(relay::Leg to) {
  ++worker_.backpressure[side_of(to)];
}

void SessionMeter::on_relayed(relay::Leg from, std::uint64_t messages, std::chrono::nanoseconds took) {
  share_.cell().relay_ns[telemetry::index(direction_from(from))].observe(
      static_cast<std::uint64_t>(took.count()), messages);
}

std::uint64_t SessionMeter::messages(relay::Leg from) const {
  return own_[telemetry::index(direction_from(from))].message_count();
}

}  // namespace wsproxy::proxy
