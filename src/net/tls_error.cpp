#include "net/tls_error.hpp"

#include <string>

#include <system_error>

namespace wsproxy::net {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "TLS"; }
  std::string message(int value) const override {
    return value == static_cast<int>(TlsError::truncated) ? "TLS ended without close_notify" : "TLS failed";
  }
};

}  // namespace

error_code make_error_code(TlsError error) {
  static const Category category;
  return std::error_code{static_cast<int>(error), category};
}

}  // namespace wsproxy::net
