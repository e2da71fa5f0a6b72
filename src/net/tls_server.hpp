#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "net/openssl.hpp"
#include "net/tls_material.hpp"
#include "net/tls_names.hpp"
#include "net/tls_problem.hpp"

namespace wsproxy::net {

class TlsStream;
class TlsTicketKeys;
class TlsBuffers;

/// What a listener with TLS has for its clients: certificates, whom it believes, what it speaks. Made from
/// files once and never changed, so that all workers use it; new files make a new one, and connections that
/// are open or in their handshake keep the one they began with.
class TlsServer : public std::enable_shared_from_this<TlsServer> {
 public:
  struct Certificate {
    std::string file;
    SystemTime not_after;
  };

  /// Nothing when a problem is a broken file or setting; `key` is where `settings` stand in the
  /// configuration. `tickets` outlive the result. Reads files.
  static std::shared_ptr<const TlsServer> load(const config::ListenerTls& settings, const std::string& key,
                                               TlsTicketKeys& tickets, TlsProblems& problems,
                                               const TlsServer* before = nullptr);

  /// The proxy's side of a new connection.
  std::unique_ptr<TlsStream> accept(TlsBuffers& buffers) const;
  std::vector<Certificate> certificates() const;

 private:
  class Loader;
  struct ForLoader {};

 public:
  TlsServer(ForLoader, TlsNames names, TlsMaterial material)
      : names_(std::move(names)), material_(std::move(material)) {}

 private:
  static int choose_certificates(SSL* ssl, int* alert, void* self);

  TlsNames names_;
  TlsMaterial material_;
  std::vector<SslContextPtr> contexts_;  // one for each of the names' sets
};

}  // namespace wsproxy::net
