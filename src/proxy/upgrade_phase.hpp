#pragma once

#include <optional>
#include <string>

#include "deflate/negotiation.hpp"
#include "http/request_head.hpp"
#include "http/response_head.hpp"
#include "net/connector.hpp"
#include "proxy/phase.hpp"
#include "telemetry/counters.hpp"

namespace wsproxy::proxy {

class Session;

/// Connects to the app, sends the client's handshake on, and judges the answer: 101 becomes a relay,
/// any other answer goes to the client unchanged, no answer is a 502 or a 504.
class UpgradePhase : public Phase {
 public:
  /// `early` came behind the request in the same read; it is the beginning of the client's frames.
  UpgradePhase(Session& session, http::RequestHead request, base::Bytes early);
  void begin() override;
  void on_readable(Leg leg) override;
  void on_writable(Leg leg) override;
  void on_deadline() override;
  void on_drain(net::Clock::time_point when) override;
  void on_close() override;

 private:
  void on_client_readable();
  void on_connected(net::ConnectResult result);
  void send_request();
  void on_answer(base::MutableBytes rest);
  void accept(base::MutableBytes rest);
  void arm();

  Session& session_;
  http::RequestHead request_;
  base::ByteQueue early_;
  net::Clock::time_point answer_by_ = net::Clock::time_point::max();
  net::Clock::time_point drain_at_ = net::Clock::time_point::max();
  net::Connector connector_;
  http::ResponseHeadReader reader_;
};

}  // namespace wsproxy::proxy
