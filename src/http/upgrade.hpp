#pragma once

#include <string>
#include <string_view>

#include "http/forwarded.hpp"
#include "http/request_head.hpp"
#include "http/response_head.hpp"

namespace wsproxy::http {

/// The request for the app (DESIGN section 3.3): method, target, Host, headers, cookies, subprotocols
/// and key as the client sent them and in its order; without Sec-WebSocket-Extensions and hop-by-hop
/// headers (Connection and what it lists, Keep-Alive, Proxy-Connection, TE, Trailer,
/// Transfer-Encoding, Upgrade; RFC 9110 section 7.6.1), with our own Connection: Upgrade,
/// Upgrade: websocket, and what tells where it came from (http/forwarded).
std::string upgrade_request(const RequestHead& client, const ForwardedFacts& facts);

/// Checks the app's 101: Upgrade, Connection, the accept key, no extension (none was offered), a
/// subprotocol only of those that were asked for. Empty when right, else what is wrong.
std::string_view problem_with_101(const ResponseHead& answer, std::string_view expected_accept,
                                  std::string_view offered_subprotocols);

/// The 101 for the client: the app's headers in order, with our extension answer unless it is empty.
std::string upgrade_response(const ResponseHead& app, std::string_view extension_answer);

}  // namespace wsproxy::http
