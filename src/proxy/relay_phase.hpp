#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "proxy/client_rate.hpp"
#include "proxy/phase.hpp"
#include "proxy/relay_leg.hpp"
#include "proxy/relay_times.hpp"
#include "proxy/session_meter.hpp"
#include "relay/relay.hpp"

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
  bool is_relay() const override { return true; }
  bool is_paused() const override { return client_.is_paused || app_.is_paused; }
  void on_close() override;
  void on_drain(net::Clock::time_point when) override;

 private:
  RelayLeg& side(Leg leg) { return leg == Leg::client ? client_ : app_; }

  void send_answer();
  void take_fresh(Leg from, base::MutableBytes input);
  void take_unread(Leg from);
  std::size_t take(Leg from, base::MutableBytes input, net::Clock::time_point begun);
  std::size_t take_share(Leg from, base::MutableBytes input, net::Clock::time_point now);
  void charge(const relay::Allowance& given, const relay::Allowance& left, net::Clock::time_point now);
  void on_over_rate(net::Clock::time_point now);
  /// Whether nothing more will be written to it.
  bool may_end(Leg leg);
  bool has_waiting_input(Leg from);
  bool has_room_for(Leg from);
  bool is_held_back(Leg from) const;
  void on_end(Leg leg, std::string_view cause);
  relay::Relay::Output output();
  void flush(Leg leg);
  void on_progress(Leg leg);
  void settle();
  void close_if_done(Leg leg);
  void read_or_pause(Leg from);
  void note_fault(Leg leg);
  /// When it is time, and what the app has sent before is on its way to the client.
  void close_for_drain(net::Clock::time_point now);
  /// While the close frame waits for the end of a message: whether it is the client who does not take that.
  void watch_client(net::Clock::time_point now);
  bool is_app_read_out();
  void keep_alive(net::Clock::time_point now);
  void arm(net::Clock::time_point now);

  Session& session_;
  SessionMeter meter_;  // before the relay, which tells it what it does
  relay::Relay relay_;
  ClientRate rate_;
  RelayTimes times_;
  Beginning beginning_;
  RelayLeg client_;
  RelayLeg app_;
  std::size_t high_mark_;             // of a leg's queue: above it the other leg is not read
  std::uint32_t unacknowledged_ = 0;  // by the client, when the keepalive was last looked after
  bool rate_logged_ = false;
};

}  // namespace wsproxy::proxy
