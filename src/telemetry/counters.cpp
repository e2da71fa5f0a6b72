#include "telemetry/counters.hpp"

#include <algorithm>

#include "telemetry/array_sum.hpp"

namespace wsproxy::telemetry {
std::size_t close_code_index(std::uint16_t code) {
  constexpr std::size_t kOther = kCloseCodes.size() - 1;
  const auto* const end = kCloseCodes.begin() + kOther;
  return static_cast<std::size_t>(std::find(kCloseCodes.begin(), end, code) - kCloseCodes.begin());
}

ListenerCounters& ListenerCounters::operator+=(const ListenerCounters& other) {
  active += other.active;
  add(total, other.total);
  return *this;
}

Counters& Counters::operator+=(const Counters& other) {
  for (const auto& [name, listener] : other.listeners) listeners[name] += listener;
  listeners_gone += other.listeners_gone;
  add(handshakes, other.handshakes);
  add(tls_handshakes, other.tls_handshakes);
  add(tls_failures, other.tls_failures);
  add(rejected, other.rejected);
  add(upstream_errors, other.upstream_errors);
  traffic += other.traffic;
  add(closes, other.closes);
  add(backpressure, other.backpressure);
  compression_input_bytes += other.compression_input_bytes;
  compression_output_bytes += other.compression_output_bytes;
  compress_ns += other.compress_ns;
  decompress_ns += other.decompress_ns;
  compression_shared += other.compression_shared;
  add(bypassed, other.bypassed);
  observed += other.observed;
  add(sacrifices, other.sacrifices);
  compression_memory_bytes += other.compression_memory_bytes;
  compression_memory_limit_bytes += other.compression_memory_limit_bytes;
  compression_level = std::min(compression_level, other.compression_level);
  add(http_requests, other.http_requests);
  add(http_bytes, other.http_bytes);
  http_request_ns += other.http_request_ns;
  handshake_ns += other.handshake_ns;
  connection_seconds += other.connection_seconds;
  message_bytes += other.message_bytes;
  return *this;
}

}  // namespace wsproxy::telemetry
