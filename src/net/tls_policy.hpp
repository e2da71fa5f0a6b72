#pragma once

#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "net/tls_files.hpp"

namespace wsproxy::net {

/// What both roles speak unless told otherwise: Mozilla's "intermediate" of its server-side TLS guide,
/// version 5.7, without its three DHE suites. Their key exchange costs a server many times what it costs a
/// client that only pretends (CVE-2002-20001), and every client of this century's second decade has ECDHE.
inline constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
inline constexpr const char* kCipherSuites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
inline constexpr const char* kGroups = "X25519:P-256:P-384";

/// The one protocol that is spoken inside (RFC 7301), as the wire has it.
inline constexpr unsigned char kAlpn[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

/// TLS 1.2 or newer with these, and nothing of what made older versions unsafe. False, with OpenSSL's reason
/// on its queue, if it cannot be had.
bool apply_policy(SSL_CTX* context);

/// Shows a certificate with its chain; false, with OpenSSL's reason on its queue, if it cannot be used.
bool use(SSL_CTX* context, const Credentials& credentials);

/// The first name in a list of ciphers, or of ciphersuites, that OpenSSL does not know, which it would pass
/// over in silence; empty when all are known. Operators and what begins with a sign are not names.
std::string unknown_cipher(std::string_view list);
std::string unknown_ciphersuite(std::string_view list);

}  // namespace wsproxy::net
