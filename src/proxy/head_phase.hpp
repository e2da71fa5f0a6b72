#pragma once

#include "base/byte_queue.hpp"
#include "http/request_head.hpp"
#include "proxy/phase.hpp"

namespace wsproxy::proxy {

class Session;

/// Reads a request of the client within limits.max_header_size, judges it and decides which way it goes.
/// The first has timeouts.handshake; each later one may begin within http.client_timeout and then has as
/// long as the first.
class HeadPhase : public Phase {
 public:
  /// The first request of a connection, of which `early` came behind a PROXY protocol header.
  explicit HeadPhase(Session& session, base::Bytes early = {});
  /// The next one, of which `early` may be the beginning.
  HeadPhase(Session& session, base::ByteQueue early);
  void begin() override;
  void on_readable(Leg leg) override;
  void on_writable(Leg leg) override;
  void on_deadline() override;
  void on_drain(net::Clock::time_point when) override;

 private:
  void take(base::Bytes input);
  void on_head(base::Bytes rest);
  void arm();

  Session& session_;
  http::RequestHeadReader reader_;
  base::ByteQueue early_;
  net::Clock::time_point begun_;  // its first byte
  net::Clock::time_point request_by_;
  net::Clock::time_point drain_at_ = net::Clock::time_point::max();
  bool is_first_;
};

}  // namespace wsproxy::proxy
