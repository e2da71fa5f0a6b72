#include "websocket/handshake.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <openssl/sha.h>

#include "base/ascii.hpp"
#include "base/base64.hpp"

namespace wsproxy::websocket {

namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view kVersion = "13";

bool is_base64_char(char c) {
  return base::is_letter(c) || base::is_digit(c) || c == '+' || c == '/';
}

/// Sixteen octets in base64. The last digit's unused bits may be anything: RFC 6455 section 4.1 has
/// them set in its own example, and no server has to decode the key.
bool is_key(std::string_view key) {
  constexpr std::size_t kDigits = 22;
  return key.size() == kDigits + 2 && key.ends_with("==") &&
         std::all_of(key.begin(), key.begin() + kDigits, is_base64_char);
}

}  // namespace

HandshakeFault check_request(const HandshakeRequest& request) {
  if (request.method != "GET") return HandshakeFault::method_not_get;
  if (request.http_minor < 1) return HandshakeFault::http_too_old;
  if (request.host.empty()) return HandshakeFault::host_missing;
  if (base::trim(request.version) != kVersion) return HandshakeFault::version_unsupported;
  if (request.key_count == 0 || request.key.empty()) return HandshakeFault::key_missing;
  return request.key_count == 1 && is_key(request.key) ? HandshakeFault::none : HandshakeFault::key_invalid;
}

unsigned status_for(HandshakeFault fault) {
  return fault == HandshakeFault::version_unsupported ? 426 : 400;
}

std::string_view describe(HandshakeFault fault) {
  switch (fault) {
    case HandshakeFault::none:
      return "no fault";
    case HandshakeFault::method_not_get:
      return "the method is not GET";
    case HandshakeFault::http_too_old:
      return "the request is older than HTTP/1.1";
    case HandshakeFault::host_missing:
      return "Host is missing";
    case HandshakeFault::version_unsupported:
      return "Sec-WebSocket-Version is not 13";
    case HandshakeFault::key_missing:
      return "Sec-WebSocket-Key is missing";
    case HandshakeFault::key_invalid:
      return "Sec-WebSocket-Key is not one base64 value of 16 octets";
  }
  return "unknown fault";
}

bool wants_websocket(std::string_view upgrade, std::string_view connection) {
  return base::list_has_token(upgrade, "websocket") && base::list_has_token(connection, "upgrade");
}

std::string accept_for(std::string_view key) {
  std::string text{key};
  text += kGuid;
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return base::base64_encode(std::as_bytes(std::span{digest}));
}

bool is_valid_subprotocol_list(std::string_view list) {
  std::vector<std::string_view> names;
  while (true) {
    const std::size_t comma = list.find(',');
    // Empty elements are to be ignored (RFC 9110 section 5.6.1.2).
    const std::string_view name = base::trim(list.substr(0, comma));
    if (!name.empty()) names.push_back(name);
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  if (!std::all_of(names.begin(), names.end(), base::is_token)) return false;
  // Sorted, since a peer may send thousands of names and pairs of them would be millions.
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) == names.end();
}

}  // namespace wsproxy::websocket
