#pragma once

#include "net/types.hpp"
#include "relay/relay.hpp"

namespace wsproxy::proxy {

using relay::Leg;

/// How much of what a client sends ahead of an answer is kept; then it is not read.
inline constexpr std::size_t kMaxEarly = 64 * 1024;

/// What a session is doing: reading a head, asking the app, relaying, saying goodbye. The session
/// brings events; the phase decides and says to the session what to do next. A phase is never
/// destroyed inside a call to itself.
///
///   head --> upgrade --> relay
///     |         |--> refusal --> goodbye
///     `---------`-------------> goodbye
class Phase {
 public:
  virtual ~Phase() = default;
  virtual void begin() = 0;
  virtual void on_readable(Leg leg) = 0;
  virtual void on_writable(Leg leg) = 0;
  virtual void on_deadline() = 0;
  /// The loop's next turn, asked for by Session::want_turn().
  virtual void on_turn() {}
  /// Whether it is a WebSocket connection now, and whether one side is not read since the other does not take
  /// what it has.
  virtual bool is_relay() const { return false; }
  virtual bool is_paused() const { return false; }
  /// The session is about to close: the last chance to say how it ended. May come twice.
  virtual void on_close() {}
  /// The proxy is draining: end at `when` at the latest, politely.
  virtual void on_drain(net::Clock::time_point when) = 0;
};

}  // namespace wsproxy::proxy
