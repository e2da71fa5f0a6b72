#pragma once

#include "net/transport.hpp"
#include "proxy/phase.hpp"
#include "telemetry/tls_failure.hpp"

namespace wsproxy::proxy {

class Session;

/// The TLS handshake of a client, ahead of its first request, on listeners with tls. It and the request's
/// head have timeouts.handshake together. Who fails is counted, and told so by an alert where TLS has one;
/// who speaks HTTP without TLS gets a readable answer.
class TlsPhase : public Phase {
 public:
  /// `early` is the beginning of the handshake.
  TlsPhase(Session& session, base::Bytes early) : session_(session) { early_.append(early); }
  void begin() override;
  void on_readable(Leg leg) override;
  void on_writable(Leg leg) override;
  void on_deadline() override;
  void on_drain(net::Clock::time_point when) override;

 private:
  net::Transport& client();
  net::Clock::time_point handshake_by() const;
  void on_done();
  void on_failure();
  void record(telemetry::TlsFailureReason reason, std::string_view detail);

  Session& session_;
  base::ByteQueue early_;
};

}  // namespace wsproxy::proxy
