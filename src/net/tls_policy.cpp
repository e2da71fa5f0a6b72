#include "net/tls_policy.hpp"

#include <algorithm>
#include <cctype>
#include <string>

#include <openssl/err.h>

namespace wsproxy::net {
namespace {

template <class IsKnown>
std::string first_unknown(std::string_view list, std::string_view separators, IsKnown&& is_known) {
  const SslContextPtr context{SSL_CTX_new(TLS_method())};
  std::string unknown;
  while (!list.empty() && unknown.empty()) {
    const std::size_t end = std::min(list.find_first_of(separators), list.size());
    const std::string name{list.substr(0, end)};
    list.remove_prefix(std::min(end + 1, list.size()));
    const bool is_name = !name.empty() && std::isalnum(static_cast<unsigned char>(name.front())) != 0;
    if (is_name && !is_known(context.get(), name.c_str())) unknown = name;
  }
  ERR_clear_error();
  return unknown;
}

}  // namespace

bool apply_policy(SSL_CTX* context) {
  std::string groups = kGroups;  // OpenSSL's macro would cast its const away
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, kCiphers) == 1 &&
         SSL_CTX_set_ciphersuites(context, kCipherSuites) == 1 &&
         SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, groups.data()) == 1;
}

bool use(SSL_CTX* context, const Credentials& credentials) {
  ERR_clear_error();
  bool is_good = SSL_CTX_use_certificate(context, credentials.leaf.get()) == 1 &&
                 SSL_CTX_use_PrivateKey(context, credentials.key.get()) == 1;
  for (const X509Ptr& authority : credentials.chain) {
    // Not by OpenSSL's macro, which has a cast that we warn of; 1: it is shared.
    is_good = is_good && SSL_CTX_ctrl(context, SSL_CTRL_CHAIN_CERT, 1, authority.get()) == 1;
  }
  return is_good;
}

std::string unknown_cipher(std::string_view list) {
  return first_unknown(list, ":, ", [](SSL_CTX* context, const char* name) {
    return SSL_CTX_set_cipher_list(context, name) == 1;
  });
}

std::string unknown_ciphersuite(std::string_view list) {
  return first_unknown(list, ":", [](SSL_CTX* context, const char* name) {
    return SSL_CTX_set_ciphersuites(context, name) == 1;
  });
}

}  // namespace wsproxy::net
