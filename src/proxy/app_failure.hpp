#pragma once

#include <string>
#include <string_view>

#include "net/connector.hpp"
#include "telemetry/counters.hpp"

namespace wsproxy::proxy {

class Session;

/// Why the app has no answer for a client, and what the client gets instead.
struct AppFailure {
  telemetry::UpstreamError reason = telemetry::UpstreamError::connect;
  unsigned status = 502;
  std::string_view sentence;  // a literal, for the client and the log
};

inline constexpr AppFailure kNoAnswerInTime{telemetry::UpstreamError::response_timeout, 504,
                                            "The application did not answer in time."};
inline constexpr AppFailure kBadAnswer{telemetry::UpstreamError::bad_response, 502,
                                       "The application's answer is not valid HTTP."};

/// For a status other than connected.
AppFailure failure_of(net::ConnectStatus status);

/// For an app that is lost before its answer. By TLS 1.3 it says only after the handshake that it does not
/// believe who the proxy is: that is told instead of `otherwise`, and `detail` says why.
AppFailure failure_of_lost(Session& session, const AppFailure& otherwise, std::string& detail);

/// Counts and logs it, answers the client with an error page and ends the connection. `detail` is for
/// the log only.
void say_app_failed(Session& session, const AppFailure& failure, std::string_view detail);

}  // namespace wsproxy::proxy
