#include "proxy/admission.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "config/origin.hpp"
#include "http/body_framing.hpp"
#include "http/forward.hpp"
#include "websocket/handshake.hpp"

namespace wsproxy::proxy {

using telemetry::Rejection;

namespace {

std::optional<Refusal> problem_with_handshake(const http::RequestHead& request,
                                              const config::Limits& limits) {
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
  // What the app would read as frames, and what as a body, must not be in doubt.
  if (http::BodyFraming::of(request).status() != http::BodyFraming::Status::complete) {
    return Refusal{Rejection::bad_handshake, 400, "A WebSocket handshake has no body."};
  }
  if (request.fields.count("Sec-WebSocket-Protocol") > 0 &&
      !websocket::is_valid_subprotocol_list(request.fields.joined("Sec-WebSocket-Protocol"))) {
    return Refusal{Rejection::bad_handshake, 400,
                   "Sec-WebSocket-Protocol is not a list of different tokens."};
  }
  // RFC 6454 section 7.3; and the app might look at the other one.
  if (request.fields.count("Origin") > 1) {
    return Refusal{Rejection::bad_handshake, 400, "More than one Origin."};
  }
  if (!is_origin_allowed(request.fields.first("Origin"), limits.allowed_origins)) {
    return Refusal{Rejection::origin, 403, "This origin is not allowed."};
  }
  return std::nullopt;
}

/// RFC 9110 section 7.8: HTTP/1.0 cannot ask for one.
bool wants_other_upgrade(const http::RequestHead& request) {
  return request.version_minor >= 1 && request.fields.count("Upgrade") > 0 &&
         base::list_has_token(request.fields.joined("Connection"), "upgrade");
}

Verdict judge_plain(const http::RequestHead& request) {
  if (wants_other_upgrade(request)) {
    return {.refusal = Refusal{Rejection::not_implemented, 501,
                               "This proxy passes on no upgrade other than websocket."}};
  }
  if (request.method == "CONNECT") {
    return {.refusal = Refusal{Rejection::not_implemented, 501, "This proxy opens no tunnels."}};
  }
  if (http::forwards_left(request) != std::uint64_t{0}) return {Verdict::Way::forward};
  if (request.method == "OPTIONS") return {Verdict::Way::answered_here};
  return {.refusal = Refusal{Rejection::not_implemented, 501, "This proxy does not answer TRACE."}};
}

}  // namespace

Verdict judge(const http::RequestHead& request, const config::Http& http, const config::Limits& limits) {
  if (websocket::wants_websocket(request.fields.joined("Upgrade"), request.fields.joined("Connection"))) {
    return {Verdict::Way::upgrade, problem_with_handshake(request, limits)};
  }
  if (http.forward) return judge_plain(request);
  return {.refusal = Refusal{Rejection::not_websocket, 426,
                             "This port speaks WebSocket; plain HTTP is not forwarded (http.forward)."}};
}

bool is_origin_allowed(std::string_view origin, const std::vector<std::string>& allowed) {
  if (allowed.empty() || origin.empty()) return true;
  const auto given = config::parse_origin(origin, false);
  return std::ranges::any_of(allowed, [&](const std::string& entry) {
    if (!given) return entry == "null" && origin == entry;
    const auto rule = config::parse_origin(entry, true);
    return rule && covers(*rule, *given);
  });
}

}  // namespace wsproxy::proxy
