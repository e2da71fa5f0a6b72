#pragma once

#include <string>

#include <openssl/types.h>

#include "telemetry/tls_failure.hpp"

namespace wsproxy::net {

/// Why TLS with a peer has come to an end that it should not have.
struct TlsFailure {
  telemetry::TlsFailureReason reason = telemetry::TlsFailureReason::other;
  std::string detail;  // for logs
};

/// Of the call that has just failed, from OpenSSL's queue, which is emptied.
TlsFailure take_failure(const SSL* ssl);

}  // namespace wsproxy::net
