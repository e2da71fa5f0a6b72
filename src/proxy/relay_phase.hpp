#pragma once

#include <array>
#include <string>

#include "proxy/phase.hpp"
#include "proxy/session_meter.hpp"
#include "relay/relay.hpp"
#include "websocket/keepalive.hpp"

namespace wsproxy::proxy {

class Session;

/// Carries bytes between the two legs and relay::Relay, which decides everything about the protocol.
///
/// Memory, besides the relay's own: for each leg at most limits.write_buffer of output that its peer
/// does not take (then the other leg is not read), and one read of input that waits for that room.
class RelayPhase : public Phase {
 public:
  struct Beginning {
    std::string answer;           // the 101 for the client
    base::ByteQueue from_client;  // what came ahead of the relay, on each leg
    base::ByteQueue from_app;
  };
  RelayPhase(Session& session, const relay::Settings& settings, Beginning beginning);
  void begin() override;
  void on_readable(Leg leg) override;
  void on_writable(Leg leg) override;
  void on_deadline() override;
  void on_turn() override;
  void on_close() override;
  void on_drain(net::Clock::time_point when) override;

 private:
  struct LegState {
    base::ByteQueue unread;  // came, but the other leg has no room for it
    bool is_deaf = false;    // writing to it failed: what is for it is dropped
    bool is_shut = false;
    bool has_ended = false;  // its peer will send no more
    bool is_paused = false;  // not read, since the other leg has no room
    bool fault_logged = false;
  };
  LegState& state(Leg leg) { return states_[static_cast<std::size_t>(leg)]; }

  void send_answer();
  void take(Leg from, base::MutableBytes input);
  void take_unread(Leg from);
  bool has_waiting_input(Leg from);
  bool has_room_for(Leg from);
  void on_end(Leg leg, std::string_view cause);
  relay::Relay::Output output();
  void flush(Leg leg);
  void on_progress(Leg leg);
  void settle();
  void close_if_done(Leg leg);
  void read_or_pause(Leg from);
  bool is_over() const;
  void log_fault(Leg leg);
  void keep_alive(net::Clock::time_point now);
  void arm(net::Clock::time_point now);

  Session& session_;
  SessionMeter meter_;  // before the relay, which tells it what it does
  relay::Relay relay_;
  websocket::Keepalive::Limits keepalive_limits_;
  websocket::Keepalive keepalive_;
  Beginning beginning_;
  std::array<LegState, 2> states_;
  std::size_t high_mark_;  // of a leg's queue: above it the other leg is not read
  net::Clock::time_point drain_at_ = net::Clock::time_point::max();
  net::Clock::time_point close_by_ = net::Clock::time_point::max();
  bool is_resuming_ = false;
};

}  // namespace wsproxy::proxy
