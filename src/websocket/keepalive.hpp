#pragma once

#include <chrono>
#include <cstdint>

namespace wsproxy::websocket {

/// Given the time, tells when to ping the client, when to take it for dead and when the connection
/// has been idle for too long. Asked when its own deadline is over, not on every message.
class Keepalive {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::milliseconds;
  struct Limits {
    Duration ping_interval{0};  // silence of the client before a ping; 0: none
    Duration ping_timeout{0};   // then how long it may stay silent
    Duration idle{0};           // without data either way; 0: never
  };
  enum class Action : std::uint8_t { wait, ping, dead, idle };

  Keepalive(const Limits& limits, Time now) : limits_(&limits), heard_(now), data_(now) {}

  /// The client is alive: it sent something, or took something that had been waiting.
  void on_heard(Time now) { heard_ = now; }
  /// Data went one way or the other.
  void on_data(Time now) { data_ = now; }
  /// The ping that check() asked for is on its way.
  void on_ping_sent(Time now) {
    pinged_ = now;
    ping_pending_ = true;
  }

  /// What is due. `is_deaf`: the proxy does not read from the client at present (backpressure), so that
  /// silence proves nothing.
  Action check(Time now, bool is_deaf);
  /// When to check again; Time::max() for never.
  Time next_check(Time now) const;

 private:
  const Limits* limits_;
  Time heard_;
  Time data_;
  Time pinged_{};
  bool ping_pending_ = false;
};

}  // namespace wsproxy::websocket
