#include "net/tls_client.hpp"

#include <new>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "net/tls_policy.hpp"
#include "net/tls_stream.hpp"
#include "net/types.hpp"

namespace wsproxy::net {
namespace {

bool is_address(const std::string& host) {
  error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

}  // namespace

class TlsClient::Loader {
 public:
  Loader(const config::UpstreamTls& settings, std::string key, TlsProblems& problems)
      : settings_(settings), key_(std::move(key)), problems_(problems) {}

  std::shared_ptr<const TlsClient> load(const TlsClient* before) {
    auto material =
        read_material(settings_, key_, before != nullptr ? &before->material_ : nullptr, problems_);
    if (!material) return nullptr;
    bool is_usable = apply_policy(context_.get());
    if (!is_usable) report("", "cannot be used: " + take_openssl_error());
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_protos(context_.get(), kAlpn, sizeof kAlpn);
    believe(*material);
    if (!material->credentials.empty() && !use(context_.get(), *material->credentials.front())) {
      is_usable = false;
      report(".certificate",
             fmt::format("\"{}\" cannot be used: {}", settings_.certificate, take_openssl_error()));
    }
    if (!is_usable) return nullptr;
    return std::make_shared<const TlsClient>(ForLoader{}, std::move(context_), settings_,
                                             std::move(*material));
  }

 private:
  void report(std::string_view member, std::string text) {
    problems_.push_back({TlsProblem::Kind::broken, key_ + std::string{member}, std::move(text)});
  }

  void believe(const TlsMaterial& material) {
    if (!settings_.verify) {
      problems_.push_back({TlsProblem::Kind::exposed, key_ + ".verify",
                           "is false: whoever answers in the application's place is believed"});
      return;
    }
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    if (!material.authorities) {
      SSL_CTX_set_default_verify_paths(context_.get());
      return;
    }
    for (const X509Ptr& one : *material.authorities) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), one.get());
    }
  }

  const config::UpstreamTls& settings_;
  std::string key_;
  TlsProblems& problems_;
  SslContextPtr context_{SSL_CTX_new(TLS_client_method())};
};

std::shared_ptr<const TlsClient> TlsClient::load(const config::UpstreamTls& settings, const std::string& key,
                                                 TlsProblems& problems, const TlsClient* before) {
  return Loader{settings, key, problems}.load(before);
}

bool TlsClient::expect(SSL* ssl, const std::string& name) const {
  if (is_address(name)) {
    return !verifies_ || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1;
  }
  // RFC 6066 section 3: an address is no server name. Not by OpenSSL's macro, which has a cast that we warn
  // of.
  std::string asked = name;
  const bool asks = SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, asked.data()) == 1;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return asks && (!verifies_ || SSL_set1_host(ssl, name.c_str()) == 1);
}

std::unique_ptr<TlsStream> TlsClient::connect(const std::string& host, TlsBuffers& buffers) const {
  SslPtr ssl{SSL_new(context_.get())};
  const std::string& asked = server_name_.empty() ? host : server_name_;
  // A final dot keeps the resolver from trying other names, and is in none of a certificate (RFC 6066 section
  // 3).
  const std::string name = asked.ends_with('.') ? asked.substr(0, asked.size() - 1) : asked;
  if (!ssl || !expect(ssl.get(), name)) {
    ERR_clear_error();
    throw std::bad_alloc{};  // nothing else can be wrong, and nobody is believed without a name
  }
  SSL_set_connect_state(ssl.get());
  return std::make_unique<TlsStream>(std::move(ssl), buffers, nullptr);
}

}  // namespace wsproxy::net
