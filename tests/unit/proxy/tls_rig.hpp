#pragma once

#include "support/session_rig.hpp"
#include "support/tls_peer.hpp"

/// A session rig with TLS on one side or the other.
namespace wsproxy::test {

/// One certificate for the proxy and for the app, by the authority.
inline const Identity& anybody() {
  static const Identity made{{.names = "DNS:a.example,IP:127.0.0.1"}, authority()};
  return made;
}

/// The files of a configuration with TLS.
class TlsFiles {
 public:
  config::ListenerTls listener() const {
    config::ListenerTls tls;
    tls.certificate = folder_.write("crt", anybody().certificate_pem());
    tls.private_key = folder_.write("key", anybody().key_pem());
    return tls;
  }
  std::string authority_file() const { return folder_.write("ca", authority().certificate_pem()); }

 private:
  TemporaryFolder folder_;
};

/// The foreign end of TLS on a connection that a test holds.
class TlsTalk {
 public:
  TlsTalk(SessionRig& rig, Peer& peer, net::SslContextPtr context, TlsPeer::Role role = TlsPeer::Role::client)
      : rig_(rig), peer_(peer), context_(std::move(context)), tls(*context_, role) {}

  /// Carries what both say until neither has anything more to say.
  void settle() {
    tls.hear({});
    for (bool is_over = false; !is_over;) {
      const std::string said = tls.said();
      if (!said.empty()) peer_.say(said);
      rig_.settle();
      const std::string heard = peer_.hear();
      if (!heard.empty()) tls.hear(heard);
      is_over = said.empty() && heard.empty();
    }
  }
  void say(std::string_view plain) {
    settle();
    tls.write(plain);
    settle();
  }
  std::string hear() {
    settle();
    return tls.read();
  }

 private:
  SessionRig& rig_;
  Peer& peer_;
  net::SslContextPtr context_;

 public:
  TlsPeer tls;
};

}  // namespace wsproxy::test
