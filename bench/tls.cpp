#include "tls.hpp"

#include <array>
#include <stdexcept>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace bench {
namespace {

constexpr const char* kServerName = "localhost";
constexpr std::array<unsigned char, 9> kAlpn{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

void require(bool is_done, const char* what) {
  if (!is_done) throw std::runtime_error(std::string(what) + ": " + tls_problem());
}

std::string key_of(const SSL& session) {
  const X509* certificate = SSL_get0_peer_certificate(&session);
  const EVP_PKEY* key = certificate ? X509_get0_pubkey(certificate) : nullptr;
  if (!key) return "no key";
  return std::string(EVP_PKEY_get0_type_name(key)) + " " + std::to_string(EVP_PKEY_get_bits(key));
}

// Not const: OpenSSL asks for the group by a control call.
std::string key_exchange_of(SSL& session) {
  const char* name = SSL_group_to_name(&session, static_cast<int>(SSL_get_negotiated_group(&session)));
  return name ? name : "no group";
}

}  // namespace

TlsClient::TlsClient(const std::string& ca_file) : context_(SSL_CTX_new(TLS_client_method())) {
  require(context_ != nullptr, "SSL_CTX_new");
  // A record with one read of the socket instead of two.
  SSL_CTX_set_read_ahead(context_.get(), 1);
  // Bytes that the socket has not taken wait in an outbox, which may move them.
  SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // The close frames say whether the end was meant.
  SSL_CTX_set_options(context_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  require(SSL_CTX_set_alpn_protos(context_.get(), kAlpn.data(), kAlpn.size()) == 0, "ALPN");
  if (ca_file.empty()) return;
  require(SSL_CTX_load_verify_file(context_.get(), ca_file.c_str()) == 1, ca_file.c_str());
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
}

TlsSession TlsClient::session(int socket) const {
  TlsSession session(SSL_new(context_.get()));
  require(session && SSL_set_fd(session.get(), socket) == 1, "SSL_new");
  require(SSL_set_tlsext_host_name(session.get(), kServerName) == 1, "SNI");
  require(SSL_set1_host(session.get(), kServerName) == 1, "the server's name");
  SSL_set_connect_state(session.get());
  return session;
}

std::string description(SSL& session) {
  return std::string(SSL_get_version(&session)) + ", " + SSL_get_cipher_name(&session) + ", " +
         key_exchange_of(session) + ", " + key_of(session);
}

std::string tls_problem() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

}  // namespace bench
