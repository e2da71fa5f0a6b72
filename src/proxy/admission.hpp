#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "http/request_head.hpp"
#include "telemetry/counters.hpp"

namespace wsproxy::proxy {

/// Why a request is not let through, and the answer it gets.
struct Refusal {
  telemetry::Rejection reason = telemetry::Rejection::bad_request;
  unsigned status = 400;
  std::string_view sentence;  // a literal, for the client and the log
};

inline constexpr Refusal kGoingAway{telemetry::Rejection::draining, 503, "The server is going away."};

/// What becomes of a request that has a well-formed head.
struct Verdict {
  enum class Way : std::uint8_t { upgrade, forward, answered_here };
  Way way = Way::forward;
  std::optional<Refusal> refusal = {};  // then no way
};

/// Is it a WebSocket handshake, and a valid one (RFC 6455 section 4.2.1), may its origin come; else is
/// it a plain request that can be passed on.
Verdict judge(const http::RequestHead& request, const config::Http& http, const config::Limits& limits);

/// Whether `origin` is in the list: the same scheme, host and port (RFC 6454 section 5), or a host below
/// that of an entry such as https://*.example.org; `null` only when it is listed. An empty list allows
/// all; a request without Origin does not come from a browser and is allowed.
bool is_origin_allowed(std::string_view origin, const std::vector<std::string>& allowed);

}  // namespace wsproxy::proxy
