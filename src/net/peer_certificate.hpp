#pragma once

#include <optional>

#include <openssl/types.h>

#include "http/client_certificate.hpp"

namespace wsproxy::net {

/// What the peer's certificate says; nothing when it has shown none.
std::optional<http::ClientCertificate> peer_certificate(const SSL* ssl);

}  // namespace wsproxy::net
