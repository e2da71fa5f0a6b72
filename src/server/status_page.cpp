#include "server/status_page.hpp"

#include <array>
#include <stdexcept>

#include <openssl/rand.h>

#include "base/base64.hpp"

namespace wsproxy::server {

extern const std::string_view kStatusPage;  // made of status_page.html by the build

namespace {
constexpr std::string_view kPlaceholder = "nonce=\"NONCE\"";
constexpr std::size_t kNonceBytes = 16;
}  // namespace

std::string page_nonce() {
  std::array<std::byte, kNonceBytes> bytes{};
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1) {
    throw std::runtime_error("no randomness for the status page");
  }
  return base::base64_encode(bytes);
}

std::string status_page(std::string_view nonce) {
  std::string page;
  std::string_view rest = kStatusPage;
  for (auto at = rest.find(kPlaceholder); at != std::string_view::npos; at = rest.find(kPlaceholder)) {
    page.append(rest.substr(0, at)).append("nonce=\"").append(nonce).append("\"");
    rest.remove_prefix(at + kPlaceholder.size());
  }
  return page.append(rest);
}

std::string content_security_policy(std::string_view nonce) {
  const std::string ours = "'nonce-" + std::string{nonce} + "'";
  return "default-src 'none'; script-src " + ours + "; style-src " + ours +
         "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
         "; require-trusted-types-for 'script'; trusted-types 'none'";
}

}  // namespace wsproxy::server
