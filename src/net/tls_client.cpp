#include "net/tls_client.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "net/tls_files.hpp"
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

  std::shared_ptr<const TlsClient> load() {
    if (!apply_policy(context_.get())) report("", "cannot be used: " + take_openssl_error());
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_protos(context_.get(), kAlpn, sizeof kAlpn);
    if (settings_.verify) {
      believe();
    } else {
      problems_.push_back({TlsProblem::Kind::exposed, key_ + ".verify",
                           "is false: whoever answers in the application's place is believed"});
    }
    if (!settings_.certificate.empty()) present();
    if (is_broken_) return nullptr;
    return std::make_shared<const TlsClient>(ForLoader{}, std::move(context_), settings_);
  }

 private:
  void report(std::string_view member, std::string text) {
    is_broken_ = true;
    problems_.push_back({TlsProblem::Kind::broken, key_ + std::string{member}, std::move(text)});
  }

  void believe() {
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    if (settings_.ca.empty()) {
      SSL_CTX_set_default_verify_paths(context_.get());
      return;
    }
    const auto authorities = read_authorities(settings_.ca, key_ + ".ca", problems_);
    is_broken_ = is_broken_ || authorities.empty();
    for (const X509Ptr& one : authorities) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), one.get());
    }
  }

  void present() {
    const auto own = read_credentials({settings_.certificate, settings_.private_key}, key_, problems_);
    if (!own) {
      is_broken_ = true;
      return;
    }
    ERR_clear_error();
    bool is_good = SSL_CTX_use_certificate(context_.get(), own->leaf.get()) == 1 &&
                   SSL_CTX_use_PrivateKey(context_.get(), own->key.get()) == 1;
    for (const X509Ptr& authority : own->chain) {
      is_good = is_good && add_to_chain(context_.get(), *authority);
    }
    if (!is_good) {
      report(".certificate", fmt::format("\"{}\" cannot be used: {}", own->file, take_openssl_error()));
    }
  }

  const config::UpstreamTls& settings_;
  std::string key_;
  TlsProblems& problems_;
  bool is_broken_ = false;
  SslContextPtr context_{SSL_CTX_new(TLS_client_method())};
};

std::shared_ptr<const TlsClient> TlsClient::load(const config::UpstreamTls& settings, const std::string& key,
                                                 TlsProblems& problems) {
  return Loader{settings, key, problems}.load();
}

std::unique_ptr<TlsStream> TlsClient::connect(const std::string& host, TlsBuffers& buffers) const {
  SslPtr ssl{SSL_new(context_.get())};
  if (!ssl) throw std::bad_alloc{};
  const std::string& name = server_name_.empty() ? host : server_name_;
  if (is_address(name)) {
    if (verifies_) X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), name.c_str());
  } else {
    // RFC 6066 section 3: an address is no server name. Not by OpenSSL's macro, which has a cast that we warn
    // of.
    std::string asked = name;
    SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, asked.data());
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (verifies_) SSL_set1_host(ssl.get(), name.c_str());
  }
  SSL_set_connect_state(ssl.get());
  return std::make_unique<TlsStream>(std::move(ssl), buffers, nullptr);
}

}  // namespace wsproxy::net
