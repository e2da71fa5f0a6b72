#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "telemetry/histogram.hpp"
#include "telemetry/observed.hpp"
#include "telemetry/tls_failure.hpp"
#include "telemetry/traffic.hpp"

namespace wsproxy::telemetry {

/// How an accepted TCP connection ended up: label `result` of wsproxy_connections_total.
enum class ConnectionResult : std::uint8_t {
  upgraded,
  refused_by_app,
  rejected,
  upstream_failed,
  client_gone,
  forwarded
};
inline constexpr std::size_t kConnectionResults = 6;

/// Why we answered a handshake ourselves: label `reason` of wsproxy_rejected_total.
enum class Rejection : std::uint8_t {
  bad_request,
  not_websocket,
  bad_handshake,
  header_too_large,
  handshake_timeout,
  origin,
  max_connections,
  max_connections_per_ip,
  upstream_max_connections,
  draining,
  not_implemented,
  proxy_protocol,
  handshake_rate,
  rate,
  tls
};
inline constexpr std::size_t kRejections = 15;

/// What the app did wrong: label `reason` of wsproxy_upstream_errors_total.
enum class UpstreamError : std::uint8_t {
  resolve,
  connect,
  connect_timeout,
  response_timeout,
  bad_response,
  closed_early,
  lost,
  protocol,
  tls
};
inline constexpr std::size_t kUpstreamErrors = 9;

enum class ExtensionOutcome : std::uint8_t { accepted, declined, absent };
inline constexpr std::size_t kExtensionOutcomes = 3;

/// What was given up to stay inside compression.memory, in the order of the attempts: label `stage` of
/// wsproxy_compression_sacrifices_total.
enum class Sacrifice : std::uint8_t {
  encoders_freed,
  frames_evicted,
  histories_asleep,
  histories_shrunk,
  histories_dropped,
  takeover_refused
};
inline constexpr std::array<const char*, 6> kSacrificeNames{"encoders_freed",    "frames_evicted",
                                                            "histories_asleep",  "histories_shrunk",
                                                            "histories_dropped", "takeover_refused"};
constexpr std::size_t index(Sacrifice s) {
  return static_cast<std::size_t>(s);
}

/// Close codes with a label of their own; every other one counts as "other", so peers cannot add labels.
inline constexpr std::array<std::uint16_t, 15> kCloseCodes{1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008,
                                                           1009, 1010, 1011, 1012, 1013, 1014, 0};
std::size_t close_code_index(std::uint16_t code);  // the last one is "other"

/// 1xx to 5xx: label `code` of wsproxy_http_requests_total.
inline constexpr std::size_t kStatusClasses = 5;

inline constexpr std::array<std::uint64_t, 10> kHandshakeBoundsNs{
    500'000,    1'000'000,   2'500'000,   5'000'000,     10'000'000,
    50'000'000, 100'000'000, 500'000'000, 1'000'000'000, 5'000'000'000};
inline constexpr std::array<std::uint64_t, 13> kRequestBoundsNs{
    500'000,     1'000'000,   2'500'000,     5'000'000,     10'000'000,     25'000'000,    50'000'000,
    100'000'000, 500'000'000, 1'000'000'000, 5'000'000'000, 15'000'000'000, 60'000'000'000};
inline constexpr std::array<std::uint64_t, 9> kDurationBoundsS{1, 5, 15, 60, 300, 900, 3600, 14400, 86400};
inline constexpr std::array<std::uint64_t, 9> kSizeBoundsBytes{64,    256,    1024,    4096,    16384,
                                                               65536, 262144, 1048576, 16777216};

struct ListenerCounters {
  std::int64_t active = 0;
  std::array<std::uint64_t, kConnectionResults> total{};
  bool is_open = true;  // else a reload has closed it, and it is here for its connections
  ListenerCounters& operator+=(const ListenerCounters& other);
};

/// Everything one worker counts: plain integers, touched by its own thread only. The exporter gets
/// copies and sums them.
struct Counters {
  std::map<std::string, ListenerCounters> listeners;  // by name; listeners of one name are one series
  ListenerCounters listeners_gone;                    // the sum of those that a reload has removed
  std::array<std::uint64_t, kExtensionOutcomes> handshakes{};
  // tls_handshakes[version][resumed]: version 0 is TLS 1.2, 1 is TLS 1.3
  std::array<std::array<std::uint64_t, 2>, 2> tls_handshakes{};
  std::array<std::uint64_t, kTlsFailureNames.size()> tls_failures{};
  std::array<std::uint64_t, kRejections> rejected{};
  std::array<std::uint64_t, kUpstreamErrors> upstream_errors{};
  TrafficTable traffic;
  std::array<std::array<std::uint64_t, kCloseCodes.size()>, kSides> closes{};  // [on which side][code]
  std::array<std::uint64_t, kSides> backpressure{};  // times reading stopped because that side did not read
  std::uint64_t compression_input_bytes = 0;
  std::uint64_t compression_output_bytes = 0;
  std::uint64_t compress_ns = 0;
  std::uint64_t decompress_ns = 0;
  std::uint64_t compression_shared = 0;  // messages whose bytes another connection's were
  std::array<std::uint64_t, kBypassNames.size()> bypassed{};
  std::array<std::uint64_t, kSacrificeNames.size()> sacrifices{};
  ObservedCounters observed;
  std::uint64_t compression_memory_bytes = 0;
  std::uint64_t compression_memory_limit_bytes = 0;
  std::uint8_t compression_level = 9;                         // the lowest in force; of a sum, of all workers
  std::array<std::uint64_t, kStatusClasses> http_requests{};  // those passed on, by status / 100 - 1
  std::array<std::uint64_t, kDirections> http_bytes{};        // of their bodies
  Histogram<kRequestBoundsNs> http_request_ns;
  Histogram<kHandshakeBoundsNs> handshake_ns;
  Histogram<kDurationBoundsS> connection_seconds;
  Histogram<kSizeBoundsBytes> message_bytes;
  Counters& operator+=(const Counters& other);
};

}  // namespace wsproxy::telemetry
