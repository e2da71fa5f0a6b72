#include "proxy/app_failure.hpp"

#include "net/tls_stream.hpp"
#include "proxy/goodbye_phase.hpp"
#include "proxy/session.hpp"

namespace wsproxy::proxy {

using telemetry::UpstreamError;

AppFailure failure_of(net::ConnectStatus status) {
  switch (status) {
    case net::ConnectStatus::unresolved:
      return {UpstreamError::resolve, 502, "The application's host name cannot be resolved."};
    case net::ConnectStatus::timed_out:
      return {UpstreamError::connect_timeout, 502, "The application did not accept the connection in time."};
    case net::ConnectStatus::tls_failed:
      return {UpstreamError::tls, 502, "There is no TLS connection to the application."};
    case net::ConnectStatus::refused:
    case net::ConnectStatus::connected:
      break;
  }
  return {UpstreamError::connect, 502, "The application cannot be reached."};
}

AppFailure failure_of_lost(Session& session, const AppFailure& otherwise, std::string& detail) {
  const net::TlsStream* tls = session.wire(Leg::app).transport->tls();
  if (tls == nullptr || tls->failure().reason != telemetry::TlsFailureReason::alert) return otherwise;
  detail = tls->failure().detail;
  return failure_of(net::ConnectStatus::tls_failed);
}

void say_app_failed(Session& session, const AppFailure& failure, std::string_view detail) {
  session.facts().status = static_cast<std::uint16_t>(failure.status);
  session.record_upstream_error(failure.reason, detail.empty() ? failure.sentence : detail);
  session.record_result(telemetry::ConnectionResult::upstream_failed);
  session.set_ending(relay::EndedBy::app, websocket::close_code::abnormal, failure.sentence);
  session.enter(
      std::make_unique<GoodbyePhase>(session, last_answer(session, failure.status, failure.sentence)));
}

}  // namespace wsproxy::proxy
