#include "support/tls_peer.hpp"

#include <stdexcept>

#include <openssl/err.h>

namespace wsproxy::test {
namespace {

net::SslContextPtr make(const SSL_METHOD* method, const Adjust& adjust) {
  net::SslContextPtr context{SSL_CTX_new(method)};
  if (adjust) adjust(context.get());
  return context;
}

}  // namespace

net::SslContextPtr client_context(const Adjust& adjust) {
  return make(TLS_client_method(), adjust);
}

net::SslContextPtr server_context(const Identity& identity, const Adjust& adjust) {
  return make(TLS_server_method(), [&](SSL_CTX* context) {
    use(context, identity);
    if (adjust) adjust(context);
  });
}

void use(SSL_CTX* context, const Identity& identity) {
  if (SSL_CTX_use_certificate(context, &identity.certificate()) != 1 ||
      SSL_CTX_use_PrivateKey(context, &identity.key()) != 1) {
    throw std::runtime_error(net::take_openssl_error());
  }
}

void believe(SSL_CTX* context, const Identity& authority) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context), &authority.certificate());
}

Adjust only_version(int version) {
  return [version](SSL_CTX* context) {
    // An old one is not spoken at the usual level.
    if (version < TLS1_2_VERSION) SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
  };
}

TlsPeer::TlsPeer(SSL_CTX& context, Role role) : ssl_(SSL_new(&context)) {
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  role == Role::client ? SSL_set_connect_state(ssl_.get()) : SSL_set_accept_state(ssl_.get());
}

void TlsPeer::ask_for(std::string name) const {
  SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
}

bool TlsPeer::judge(int result) {
  if (result > 0) return true;
  const int error = SSL_get_error(ssl_.get(), result);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_ZERO_RETURN &&
      failure_.empty()) {
    failure_ = net::take_openssl_error();
  }
  return false;
}

void TlsPeer::hear(std::string_view bytes) {
  ERR_clear_error();
  if (!bytes.empty()) BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
  if (!is_done_) is_done_ = failure_.empty() && judge(SSL_do_handshake(ssl_.get()));
  if (!is_done_) return;
  char buffer[16384];
  for (int size; judge(size = SSL_read(ssl_.get(), buffer, sizeof buffer));) {
    plain_.append(buffer, static_cast<std::size_t>(size));
  }
}

std::string TlsPeer::said() {
  BIO* const out = SSL_get_wbio(ssl_.get());
  std::string bytes(BIO_ctrl_pending(out), '\0');
  if (!bytes.empty()) BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

void TlsPeer::write(std::string_view plain) {
  ERR_clear_error();
  if (!plain.empty() && SSL_write(ssl_.get(), plain.data(), static_cast<int>(plain.size())) <= 0) {
    throw std::runtime_error("the peer cannot write: " + net::take_openssl_error());
  }
}

void TlsPeer::say_close() {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

}  // namespace wsproxy::test
