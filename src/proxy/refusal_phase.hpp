#pragma once

#include "http/response_head.hpp"
#include "proxy/phase.hpp"

namespace wsproxy::proxy {

class Session;

/// Passes on an answer of the app that is not 101, head and body unchanged, as fast as the client
/// takes it.
class RefusalPhase : public Phase {
 public:
  /// `body` came behind the head in the same read.
  RefusalPhase(Session& session, http::ResponseHeadReader reader, base::Bytes body);
  void begin() override;
  void on_readable(Leg leg) override;
  void on_writable(Leg leg) override;
  void on_deadline() override;
  void on_drain(net::Clock::time_point when) override;

 private:
  void pass(base::Bytes bytes);
  void send(base::Bytes bytes);

  Session& session_;
  http::ResponseHeadReader reader_;
  base::ByteQueue first_;
  bool is_complete_ = false;
};

}  // namespace wsproxy::proxy
