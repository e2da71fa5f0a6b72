#include "net/tls_server.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>

#include "net/tls_policy.hpp"
#include "net/tls_stream.hpp"
#include "net/tls_ticket_keys.hpp"

namespace wsproxy::net {
namespace {

/// RFC 7301 section 3.2: whoever offers protocols, but not ours, is told so by an alert.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(&found, chosen_size, kAlpn, sizeof kAlpn, offered, offered_size);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// A session may outlive the client's certificate; who it is has to be shown again then. (One that outlives
/// the next update of a revocation list goes on until there is a new list, which makes another session id
/// context.)
SSL_TICKET_RETURN judge_ticket(SSL*, SSL_SESSION* session, const unsigned char*, std::size_t,
                               SSL_TICKET_STATUS status, void*) {
  switch (status) {
    case SSL_TICKET_EMPTY:
    case SSL_TICKET_NO_DECRYPT:
      return SSL_TICKET_RETURN_IGNORE_RENEW;
    case SSL_TICKET_SUCCESS:
    case SSL_TICKET_SUCCESS_RENEW:
      break;
    default:
      return SSL_TICKET_RETURN_ABORT;
  }
  const X509* client = SSL_SESSION_get0_peer(session);
  if (client != nullptr && X509_cmp_current_time(X509_get0_notAfter(client)) < 0) {
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  }
  return status == SSL_TICKET_SUCCESS_RENEW ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE;
}

std::string unknown_in_words(const std::string& list, const std::string& name, const char* version) {
  return fmt::format(
      "\"{}\" has \"{}\", which OpenSSL does not know for TLS {}; `openssl ciphers -s -tls1_{}` lists what "
      "it does",
      list, name, version, version + 2);
}

int accept_name(SSL*, int*, void*) {
  return SSL_TLSEXT_ERR_OK;
}

/// RFC 6066 section 3: a list with one host name, which OpenSSL reads, and refuses if malformed, later on.
/// Empty if there is none.
std::string_view asked_name(SSL* ssl) {
  constexpr std::size_t kAhead = 5;  // length of the list, kind of the name, its length
  const unsigned char* extension = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &extension, &size) != 1 || size <= kAhead ||
      extension[2] != TLSEXT_NAMETYPE_host_name) {
    return {};
  }
  const std::size_t length = std::size_t{extension[3]} << 8U | extension[4];
  const std::string_view rest{reinterpret_cast<const char*>(extension) + kAhead, size - kAhead};
  return rest.substr(0, length);
}

int accept_ticket_making(SSL*, void*) {
  return 1;
}

}  // namespace

class TlsServer::Loader {
 public:
  Loader(const config::ListenerTls& settings, std::string key, TlsTicketKeys& tickets, TlsProblems& problems)
      : settings_(settings), key_(std::move(key)), tickets_(tickets), problems_(problems) {}

  std::shared_ptr<const TlsServer> load(const TlsServer* before) {
    auto material =
        read_material(settings_, key_, before != nullptr ? &before->material_ : nullptr, problems_);
    if (!material) return nullptr;
    material_ = std::move(*material);
    std::vector<TlsNames::Certificate> named;
    for (const auto& one : material_.credentials) named.push_back({one->names, one->key_type()});
    auto server = std::make_shared<TlsServer>(ForLoader{}, TlsNames{named}, material_);
    build_store();
    for (const TlsNames::Set& set : server->names_.sets()) {
      server->contexts_.push_back(make_context(set, *server));
    }
    return is_broken_ ? nullptr : server;
  }

 private:
  void report(std::string_view key, std::string text) {
    is_broken_ = true;
    const bool is_known = std::ranges::any_of(  // of another set of certificates
        problems_, [&](const TlsProblem& other) { return other.key == key_ + std::string{key}; });
    if (!is_known) problems_.push_back({TlsProblem::Kind::broken, key_ + std::string{key}, std::move(text)});
  }

  void build_store() {
    if (!material_.authorities) return;
    store_.reset(X509_STORE_new());
    for (const X509Ptr& one : *material_.authorities) X509_STORE_add_cert(store_.get(), one.get());
    if (!material_.revocations) return;
    for (const CrlPtr& one : *material_.revocations) X509_STORE_add_crl(store_.get(), one.get());
    X509_STORE_set_flags(store_.get(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  }

  SslContextPtr make_context(const TlsNames::Set& set, TlsServer& server) {
    SslContextPtr context{SSL_CTX_new(TLS_server_method())};
    SSL_CTX* const raw = context.get();
    if (!apply_policy(raw)) report(".certificate", "cannot be used: " + take_openssl_error());
    apply_settings(raw);
    SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
    // Not OpenSSL's callback for names: by that time a session of another name would have been resumed
    // (RFC 6066 section 3). That one only says that the name was understood.
    SSL_CTX_set_client_hello_cb(raw, choose_certificates, &server);
    SSL_CTX_set_tlsext_servername_callback(raw, accept_name);
    use_tickets(raw, set);
    ask_for_certificates(raw);
    for (const std::size_t position : set) use_credentials(raw, position);
    return context;
  }

  void apply_settings(SSL_CTX* context) {
    ERR_clear_error();
    if (settings_.min_version == "1.3") SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    // An operator who asks for DHE gets groups of the key's strength.
    SSL_CTX_set_dh_auto(context, 1);
    const std::string no_cipher = unknown_cipher(settings_.ciphers);
    const std::string no_suite = unknown_ciphersuite(settings_.ciphersuites);
    if (!no_cipher.empty()) report(".ciphers", unknown_in_words(settings_.ciphers, no_cipher, "1.2"));
    if (!no_suite.empty()) report(".ciphersuites", unknown_in_words(settings_.ciphersuites, no_suite, "1.3"));
    if (!settings_.ciphers.empty() && SSL_CTX_set_cipher_list(context, settings_.ciphers.c_str()) != 1) {
      report(".ciphers", fmt::format("\"{}\" leaves no cipher", settings_.ciphers));
    }
    if (!settings_.ciphersuites.empty() &&
        SSL_CTX_set_ciphersuites(context, settings_.ciphersuites.c_str()) != 1) {
      report(".ciphersuites", fmt::format("\"{}\" is no list of ciphersuites, such as {}",
                                          settings_.ciphersuites, kCipherSuites));
    }
    ERR_clear_error();
  }

  void use_tickets(SSL_CTX* context, const TlsNames::Set& set) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);  // a WebSocket client comes back once
    tickets_.install(context);
    SSL_CTX_set_session_ticket_cb(context, accept_ticket_making, judge_ticket, nullptr);
    const auto id = session_id_context(set);
    SSL_CTX_set_session_id_context(context, id.data(), static_cast<unsigned>(id.size()));
  }

  /// A session is resumed only where its client would be believed anew, and be shown the same: at this
  /// listener, with these authorities and revocation lists, for a name of the same certificates.
  std::array<unsigned char, 32> session_id_context(const TlsNames::Set& set) {
    const std::unique_ptr<EVP_MD_CTX, Releasing<EVP_MD_CTX_free>> digest{EVP_MD_CTX_new()};
    EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
    const auto add = [&](const void* data, std::size_t size) { EVP_DigestUpdate(digest.get(), data, size); };
    add(key_.data(), key_.size());
    add(&settings_.client_auth, sizeof settings_.client_auth);
    add(set.data(), set.size() * sizeof set.front());
    std::array<unsigned char, EVP_MAX_MD_SIZE> print{};
    unsigned size = 0;
    if (material_.authorities) {
      for (const X509Ptr& one : *material_.authorities) {
        X509_digest(one.get(), EVP_sha256(), print.data(), &size);
        add(print.data(), size);
      }
    }
    if (material_.revocations) {
      for (const CrlPtr& one : *material_.revocations) {
        X509_CRL_digest(one.get(), EVP_sha256(), print.data(), &size);
        add(print.data(), size);
      }
    }
    std::array<unsigned char, 32> result{};
    EVP_DigestFinal_ex(digest.get(), result.data(), nullptr);
    return result;
  }

  void ask_for_certificates(SSL_CTX* context) {
    if (!store_) return;
    const bool is_required = settings_.client_auth == config::ClientAuth::required;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       nullptr);
    X509_STORE_up_ref(store_.get());
    SSL_CTX_set_cert_store(context, store_.get());
    for (const X509Ptr& one : *material_.authorities) SSL_CTX_add_client_CA(context, one.get());
  }

  void use_credentials(SSL_CTX* context, std::size_t position) {
    const Credentials& one = *material_.credentials[position];
    if (use(context, one)) return;
    const std::string key =
        position == 0 ? "certificate" : fmt::format("additional[{}].certificate", position - 1);
    report("." + key, fmt::format("\"{}\" cannot be used: {}", one.file, take_openssl_error()));
  }

  const config::ListenerTls& settings_;
  std::string key_;
  TlsTicketKeys& tickets_;
  TlsProblems& problems_;
  bool is_broken_ = false;
  TlsMaterial material_;
  StorePtr store_;
};

std::shared_ptr<const TlsServer> TlsServer::load(const config::ListenerTls& settings, const std::string& key,
                                                 TlsTicketKeys& tickets, TlsProblems& problems,
                                                 const TlsServer* before) {
  return Loader{settings, key, tickets, problems}.load(before);
}

std::vector<TlsServer::Certificate> TlsServer::certificates() const {
  std::vector<Certificate> result;
  for (const auto& one : material_.credentials) result.push_back({one->file, one->not_after});
  return result;
}

std::unique_ptr<TlsStream> TlsServer::accept(TlsBuffers& buffers) const {
  SslPtr ssl{SSL_new(contexts_.front().get())};
  if (!ssl) {
    ERR_clear_error();
    throw std::bad_alloc{};
  }
  SSL_set_accept_state(ssl.get());
  return std::make_unique<TlsStream>(std::move(ssl), buffers, shared_from_this());
}

int TlsServer::choose_certificates(SSL* ssl, int* alert, void* self) {
  const auto& server = *static_cast<const TlsServer*>(self);
  try {
    const std::size_t set = server.names_.find(asked_name(ssl));
    // The context that it began with is the first one's already.
    if (set != 0) SSL_set_SSL_CTX(ssl, server.contexts_[set].get());
  } catch (const std::exception&) {
    *alert = SSL_AD_INTERNAL_ERROR;  // no exception passes through OpenSSL
    return SSL_CLIENT_HELLO_ERROR;
  }
  return SSL_CLIENT_HELLO_SUCCESS;
}

}  // namespace wsproxy::net
