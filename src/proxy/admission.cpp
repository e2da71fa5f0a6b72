#include "proxy/admission.hpp"

#include "base/ascii.hpp"
#include "websocket/handshake.hpp"

namespace wsproxy::proxy {

using telemetry::Rejection;

std::optional<Refusal> judge(const http::RequestHead& request, const config::Limits& limits) {
  if (!websocket::wants_websocket(request.fields.joined("Upgrade"), request.fields.joined("Connection"))) {
    return Refusal{Rejection::not_websocket, 426,
                   "This port speaks WebSocket; plain HTTP is not forwarded yet."};
  }
  const std::string version = request.fields.joined("Sec-WebSocket-Version");
  websocket::HandshakeRequest handshake;
  handshake.method = request.method;
  handshake.http_minor = request.version_minor;
  handshake.host = request.fields.first("Host");
  handshake.key = request.fields.first("Sec-WebSocket-Key");
  handshake.key_count = static_cast<unsigned>(request.fields.count("Sec-WebSocket-Key"));
  handshake.version = version;
  const websocket::HandshakeFault fault = check_request(handshake);
  if (fault != websocket::HandshakeFault::none) {
    return Refusal{Rejection::bad_handshake, status_for(fault), describe(fault)};
  }
  if (request.fields.count("Sec-WebSocket-Protocol") > 0 &&
      !websocket::is_valid_subprotocol_list(request.fields.joined("Sec-WebSocket-Protocol"))) {
    return Refusal{Rejection::bad_handshake, 400,
                   "Sec-WebSocket-Protocol is not a list of different tokens."};
  }
  if (!is_origin_allowed(request.fields.first("Origin"), limits.allowed_origins)) {
    return Refusal{Rejection::origin, 403, "This origin is not allowed."};
  }
  return std::nullopt;
}

bool is_origin_allowed(std::string_view origin, const std::vector<std::string>& allowed) {
  if (allowed.empty() || origin.empty()) return true;
  for (const std::string& entry : allowed) {
    if (base::iequals(entry, origin)) return true;
    const std::size_t star = entry.find("://*.");
    if (star == std::string::npos) continue;
    const std::string_view scheme = std::string_view{entry}.substr(0, star + 3);
    const std::string_view suffix = std::string_view{entry}.substr(star + 4);
    if (origin.size() > scheme.size() + suffix.size() &&
        base::iequals(origin.substr(0, scheme.size()), scheme) &&
        base::iequals(origin.substr(origin.size() - suffix.size()), suffix)) {
      return true;
    }
  }
  return false;
}

}  // namespace wsproxy::proxy
