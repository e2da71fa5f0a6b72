#pragma once

#include <array>

#include "telemetry/counters.hpp"

/// What the values of the enums in counters.hpp are called outside, in their order.
namespace wsproxy::telemetry {

inline constexpr std::array<const char*, kDirections> kDirectionNames{"to_client", "to_app"};
inline constexpr std::array<const char*, kSides> kSideNames{"client", "app"};
inline constexpr std::array<const char*, kConnectionResults> kResultNames{
    "upgraded", "refused_by_app", "rejected", "upstream_failed", "client_gone", "forwarded"};
inline constexpr std::array<const char*, kRejections> kRejectionNames{"bad_request",
                                                                      "not_websocket",
                                                                      "bad_handshake",
                                                                      "header_too_large",
                                                                      "handshake_timeout",
                                                                      "origin",
                                                                      "max_connections",
                                                                      "max_connections_per_ip",
                                                                      "upstream_max_connections",
                                                                      "draining",
                                                                      "not_implemented",
                                                                      "proxy_protocol",
                                                                      "handshake_rate",
                                                                      "rate",
                                                                      "tls"};
inline constexpr std::array<const char*, kStatusClasses> kClassNames{"1xx", "2xx", "3xx", "4xx", "5xx"};
inline constexpr std::array<const char*, kUpstreamErrors> kUpstreamErrorNames{
    "resolve",  "connect", "connect_timeout", "response_timeout", "bad_response", "closed_early", "lost",
    "protocol", "tls"};
inline constexpr std::array<const char*, kExtensionOutcomes> kExtensionNames{"accepted", "declined",
                                                                             "absent"};
inline constexpr std::array<const char*, 2> kTypeNames{"text", "binary"};
inline constexpr std::array<const char*, 2> kBoolNames{"false", "true"};
inline constexpr std::array<const char*, 2> kTlsVersionNames{"1.2", "1.3"};

}  // namespace wsproxy::telemetry
