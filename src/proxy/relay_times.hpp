#pragma once

#include "config/config.hpp"
#include "net/types.hpp"
#include "websocket/keepalive.hpp"

namespace wsproxy::proxy {

/// When a relayed connection acts by itself: its own pings, the ends of silence, of a pause and of the
/// drain's patience, and at last the end of closing. Told the time; the session's timer asks for next().
class RelayTimes {
 public:
  using Time = net::Clock::time_point;
  using Action = websocket::Keepalive::Action;

  RelayTimes(const config::Timeouts& timeouts, Time now);
  RelayTimes(const RelayTimes&) = delete;  // the keepalive points to its limits
  RelayTimes& operator=(const RelayTimes&) = delete;

  /// When to look again.
  Time next(Time now) const;

  void on_heard(Time now) { keepalive_.on_heard(now); }
  void on_data(Time now) { keepalive_.on_data(now); }
  void on_ping_sent(Time now) { keepalive_.on_ping_sent(now); }
  /// What the silence asks for. `is_deaf`: the proxy does not read from the client at present.
  Action check(Time now, bool is_deaf);

  /// The client is not read until then, since it sent too much. Its silence does not count meanwhile.
  void hold_back(Time until) { held_until_ = until; }
  bool is_holding_back() const { return held_until_ != Time::max(); }
  /// Reading goes on if it is time.
  void let_go(Time now);

  /// To close for the drain then, or as soon after it as there is a moment that suits; at the latest at the
  /// other time, or when nothing has moved for timeouts.close.
  void drain_at(Time when, Time latest);
  /// Whether it is time to close for the drain; says so once. `suits`: what is to go first has gone.
  bool take_drain(Time now, bool suits);
  /// What goes first is on its way: what is waited for is waited for timeouts.close from now on.
  void extend_drain(Time now);

  /// After take_drain: the close frame waits for the end of a message, and the client does not take what is
  /// there of it. It has timeouts.close from the first call.
  void wait_for_client(Time now);
  void end_wait();
  bool is_client_stuck(Time now) const { return is_drain_taken() && now >= patience_until_; }

  /// From now on timeouts.close counts; from the first call.
  void begin_closing(Time now);
  /// What was said before the close frame still arrives, as long as it is being taken.
  void extend_closing(Time now);
  bool is_closing() const { return close_by_ != Time::max(); }
  bool is_closing_over(Time now) const { return now >= close_by_; }

 private:
  bool is_drain_taken() const { return drain_at_ == Time::max(); }

  websocket::Keepalive::Limits limits_;
  config::Duration close_;
  websocket::Keepalive keepalive_;
  Time held_until_ = Time::max();
  Time drain_at_ = Time::max();
  Time drain_latest_{};
  Time patience_until_ = Time::max();  // of a drain that is due and does not suit, or that waits for a client
  Time close_by_ = Time::max();
};

}  // namespace wsproxy::proxy
