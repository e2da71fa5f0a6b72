#include "net/tls_policy.hpp"

#include <string>

namespace wsproxy::net {

bool apply_policy(SSL_CTX* context) {
  std::string groups = kGroups;  // OpenSSL's macro would cast its const away
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, kCiphers) == 1 &&
         SSL_CTX_set_ciphersuites(context, kCipherSuites) == 1 &&
         SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, groups.data()) == 1;
}

bool add_to_chain(SSL_CTX* context, X509& authority) {
  // Not by OpenSSL's macro, which has a cast that we warn of; 1: it is shared.
  return SSL_CTX_ctrl(context, SSL_CTRL_CHAIN_CERT, 1, &authority) == 1;
}

}  // namespace wsproxy::net
