#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "net/openssl.hpp"
#include "support/certificates.hpp"

/// The foreign end of a TLS connection: OpenSSL as anybody uses it, over strings.
namespace wsproxy::test {

using Adjust = std::function<void(SSL_CTX*)>;
/// For clients that believe anybody, unless `adjust` says otherwise.
net::SslContextPtr client_context(const Adjust& adjust = {});
net::SslContextPtr server_context(const Identity& identity, const Adjust& adjust = {});
void use(SSL_CTX* context, const Identity& identity);
void believe(SSL_CTX* context, const Identity& authority);
/// The only version from now on, TLS1_2_VERSION or so.
Adjust only_version(int version);

class TlsPeer {
 public:
  enum class Role { client, server };
  explicit TlsPeer(SSL_CTX& context, Role role = Role::client);

  SSL* ssl() const { return ssl_.get(); }
  void ask_for(std::string name) const;
  /// Takes what the other end has said, which may be nothing, and does what follows.
  void hear(std::string_view bytes);
  /// What it has for the other end, since the last time.
  std::string said();
  void write(std::string_view plain);
  void say_close();

  bool is_done() const { return is_done_; }
  /// Why it has given up; empty while it has not.
  const std::string& failure() const { return failure_; }
  /// What it has read since the last time.
  std::string read() { return std::exchange(plain_, {}); }
  /// The other end has said close_notify.
  bool has_ended() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

 private:
  bool judge(int result);

  net::SslPtr ssl_;
  bool is_done_ = false;
  std::string failure_;
  std::string plain_;
};

/// Carries what two ends say until neither has anything more to say.
template <class A, class B>
void converse(A& a, B& b) {
  a.hear({});
  b.hear({});
  bool is_over = false;
  while (!is_over) {
    const std::string from_a = a.said();
    if (!from_a.empty()) b.hear(from_a);
    const std::string from_b = b.said();
    if (!from_b.empty()) a.hear(from_b);
    is_over = from_a.empty() && from_b.empty();
  }
}

}  // namespace wsproxy::test
