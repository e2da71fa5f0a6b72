#pragma once

#include "http/request_head.hpp"
#include "proxy/phase.hpp"

namespace wsproxy::proxy {

class Session;

/// Reads the client's request within timeouts.handshake and limits.max_header_size and judges it.
class HeadPhase : public Phase {
 public:
  explicit HeadPhase(Session& session);
  void begin() override;
  void on_readable(Leg leg) override;
  void on_writable(Leg leg) override;
  void on_deadline() override;
  void on_drain(net::Clock::time_point when) override;

 private:
  void on_head(base::Bytes rest);

  Session& session_;
  http::RequestHeadReader reader_;
  net::Clock::time_point request_by_;
  bool has_bytes_ = false;
};

}  // namespace wsproxy::proxy
