#include "net/openssl.hpp"

#include <openssl/err.h>

namespace wsproxy::net {

std::string take_openssl_error() {
  const unsigned long code = ERR_peek_error();
  const char* reason = ERR_reason_error_string(code);
  ERR_clear_error();
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

}  // namespace wsproxy::net
