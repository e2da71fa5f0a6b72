#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

namespace bench {

struct FreeTls {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
};
using TlsSession = std::unique_ptr<SSL, FreeTls>;

/// What all TLS connections of a generator share: OpenSSL's own settings for clients and the ALPN of
/// browsers. No session is ever offered again, so every handshake is a full one.
class TlsClient {
 public:
  /// With a file of CA certificates the server has to prove that it is localhost; without, its certificate is
  /// taken as it is. Throws.
  explicit TlsClient(const std::string& ca_file);
  /// On a connected socket, which stays the caller's and has to outlive the session.
  TlsSession session(int socket) const;

 private:
  std::unique_ptr<SSL_CTX, FreeTls> context_;
};

/// Version, cipher suite, key exchange, and the key of the server's certificate: what the CPU was spent on.
std::string description(SSL& session);

/// What OpenSSL says about a call that failed, and forgets with that.
std::string tls_problem();

}  // namespace bench
