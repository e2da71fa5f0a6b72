#pragma once

#include "http/proxy_protocol.hpp"
#include "proxy/phase.hpp"

namespace wsproxy::proxy {

class Session;

/// Reads the PROXY protocol header ahead of the first request, on listeners with proxy_protocol. It and the
/// request's head have timeouts.handshake together. Whoever sends none, a wrong one or a late one is closed
/// without an answer: who the client is, and in which protocol it would understand one, is not known.
class ProxyHeaderPhase : public Phase {
 public:
  explicit ProxyHeaderPhase(Session& session) : session_(session) {}
  void begin() override;
  void on_readable(Leg leg) override;
  void on_writable(Leg leg) override;
  void on_deadline() override;
  void on_drain(net::Clock::time_point when) override;

 private:
  void take(base::Bytes input);
  net::Clock::time_point header_by() const;
  void on_end();
  void refuse(std::string_view reason);

  Session& session_;
  http::ProxyHeaderReader reader_;
};

}  // namespace wsproxy::proxy
