#pragma once

#include <string>
#include <string_view>

namespace wsproxy::websocket {

/// What a server has to look at in an HTTP/1 request that wants_websocket() (RFC 6455 section 4.2.1).
/// Header values that came in several lines are joined by commas. The views are the caller's.
struct HandshakeRequest {
  std::string_view method;
  unsigned http_minor = 1;   // of HTTP/1
  std::string_view host;     // empty: absent
  std::string_view key;      // Sec-WebSocket-Key
  unsigned key_count = 1;    // how many lines had it
  std::string_view version;  // Sec-WebSocket-Version
};

enum class HandshakeFault : unsigned char {
  none,
  method_not_get,       // 400
  http_too_old,         // 400
  host_missing,         // 400
  version_unsupported,  // 426 with Sec-WebSocket-Version: 13
  key_missing,          // 400
  key_invalid,          // 400: not base64 of 16 octets, or several
};

HandshakeFault check_request(const HandshakeRequest& request);
/// The HTTP status that answers it: 400 or 426.
unsigned status_for(HandshakeFault fault);
std::string_view describe(HandshakeFault fault);

/// Whether a request wants to become a WebSocket at all: Upgrade lists websocket and Connection
/// lists upgrade. What is wrong with it beyond that is check_request's; one that lacks either is plain
/// HTTP, which the caller answers.
bool wants_websocket(std::string_view upgrade, std::string_view connection);

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key (section 4.2.2): base64(SHA-1(key + GUID)).
std::string accept_for(std::string_view key);

/// Whether each item of a Sec-WebSocket-Protocol list is a token and none comes twice (section 4.1).
bool is_valid_subprotocol_list(std::string_view list);

}  // namespace wsproxy::websocket
