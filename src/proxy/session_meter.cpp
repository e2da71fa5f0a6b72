#include "proxy/session_meter.hpp"

namespace wsproxy::proxy {

using telemetry::Direction;
using telemetry::DirectionCounters;

void SessionMeter::on_message(relay::Leg to, websocket::Opcode type, bool compressed, std::uint64_t size) {
  const std::size_t d = telemetry::index(to == relay::Leg::client ? Direction::to_client : Direction::to_app);
  const std::size_t kind = type == websocket::Opcode::text ? 0 : 1;
  for (DirectionCounters* counters : {&worker_.relayed[d], &own_[d]}) {
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

void SessionMeter::on_bypassed(deflate::Bypass reason, std::uint64_t nanoseconds) {
  // Bypass::none is no reason and has no counter.
  ++worker_.bypassed[static_cast<std::size_t>(reason) - 1];
  worker_.compress_ns += nanoseconds;
}

void SessionMeter::on_inflated(std::uint64_t nanoseconds) {
  worker_.decompress_ns += nanoseconds;
}

}  // namespace wsproxy::proxy
