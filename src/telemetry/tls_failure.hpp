#pragma once

#include <array>
#include <cstdint>

namespace wsproxy::telemetry {

/// Why a client's TLS handshake failed: label `reason` of wsproxy_tls_handshake_errors_total.
enum class TlsFailureReason : std::uint8_t {
  timeout,           // the client stopped in the middle
  closed,            // it hung up in the middle
  plain_http,        // it spoke HTTP without TLS
  garbage,           // it spoke something that is no TLS
  protocol_version,  // only versions that are not spoken here
  no_shared_cipher,  // nor a group or signature algorithm
  no_certificate,    // it has none, and one is required
  bad_certificate,   // of an authority that is not believed, expired, revoked
  alert,             // it did not want to go on
  alpn,              // it offers other protocols than HTTP/1.1 only
  other,
};
inline constexpr std::array<const char*, 11> kTlsFailureNames{"timeout",
                                                              "closed",
                                                              "plain_http",
                                                              "garbage",
                                                              "protocol_version",
                                                              "no_shared_cipher",
                                                              "no_certificate",
                                                              "bad_certificate",
                                                              "alert",
                                                              "alpn",
                                                              "other"};
constexpr std::size_t index(TlsFailureReason reason) {
  return static_cast<std::size_t>(reason);
}

}  // namespace wsproxy::telemetry
