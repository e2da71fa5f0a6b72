#pragma once

#include <memory>
#include <string>

#include "config/config.hpp"
#include "net/openssl.hpp"
#include "net/tls_material.hpp"
#include "net/tls_problem.hpp"

namespace wsproxy::net {

class TlsStream;
class TlsBuffers;

/// How the proxy speaks TLS with an app: whom it believes, and who it is. Made from files once and never
/// changed, so that all workers use it; new files make a new one.
class TlsClient {
 public:
  /// Nothing when a problem is a broken file; `key` is where `settings` stand in the configuration. Reads
  /// files.
  static std::shared_ptr<const TlsClient> load(const config::UpstreamTls& settings, const std::string& key,
                                               TlsProblems& problems, const TlsClient* before = nullptr);

  /// The proxy's side of a new connection to `host`, a name or an address without brackets. The app must show
  /// a certificate for it, or for upstream.tls.server_name, unless nothing is verified.
  std::unique_ptr<TlsStream> connect(const std::string& host, TlsBuffers& buffers) const;

 private:
  class Loader;
  struct ForLoader {};

 public:
  TlsClient(ForLoader, SslContextPtr context, const config::UpstreamTls& settings, TlsMaterial material)
      : context_(std::move(context)),
        material_(std::move(material)),
        server_name_(settings.server_name),
        verifies_(settings.verify) {}

 private:
  /// Whom the app must be; false when there is no memory for that.
  bool expect(SSL* ssl, const std::string& name) const;

  SslContextPtr context_;
  TlsMaterial material_;
  std::string server_name_;  // empty: that of the target
  bool verifies_;
};

}  // namespace wsproxy::net
