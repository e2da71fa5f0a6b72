#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "net/types.hpp"
#include "telemetry/log.hpp"

namespace wsproxy::server {

/// How the process lets go of its clients, once in its life (DESIGN section 8):
///
///   serving --begin()--> draining: not ready, still accepting, for drain.delay
///           --> closing: no new connections, close frames over drain.spread
///           --all gone, or cut at drain.timeout--> drained
///
/// Whether the process ends then is for who waits. On the main thread, but for what says otherwise.
class Drain {
 public:
  enum class State : std::uint8_t { serving, draining, closing, drained };

  /// What it does to the process.
  struct Actions {
    std::function<std::size_t()> connections;  // open now
    std::function<void()> stop_accepting;
    std::function<void(net::Clock::duration spread, net::Clock::time_point latest)> close_connections;
    std::function<void()> cut_connections;
  };
  /// How it went.
  struct Outcome {
    std::size_t closed = 0;
    std::size_t cut = 0;
    net::Clock::duration took{};
  };
  using OnDrained = std::function<void(const Outcome&)>;

  /// For the status page.
  struct Progress {
    std::chrono::system_clock::time_point since;
    std::chrono::system_clock::time_point ends;
    std::size_t at_start = 0;
  };

  Drain(net::IoContext& io, telemetry::Log& log, Actions actions);
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  /// Begins, unless it has begun; `last_answer` is how long a client has for its answer to the last close
  /// frame.
  void begin(const config::Drain& how, net::Clock::duration last_answer);
  /// Called once when everybody has gone: at once when that is so already.
  void when_drained(OnDrained call);
  void cancel() { timer_.cancel(); }

  // From any thread.
  State state() const { return state_; }
  std::optional<Progress> progress() const;

 private:
  void close_all();
  void watch();
  void watch_at(net::Clock::time_point when);
  void cut_rest();
  void end();
  void tell_progress(net::Clock::time_point now);

  telemetry::Log& log_;
  Actions actions_;
  net::Timer timer_;
  std::atomic<State> state_{State::serving};
  config::Drain how_;
  net::Clock::duration last_answer_{};
  net::Clock::time_point began_;
  net::Clock::time_point ends_;
  net::Clock::time_point next_line_;
  std::size_t to_close_ = 0;  // when the close frames began
  bool is_cut_ = false;
  Outcome outcome_;
  std::vector<OnDrained> waiting_;
  mutable std::mutex mutex_;  // of the next one
  std::optional<Progress> progress_;
};

/// Why no client should come any more, in a word; empty while it serves.
std::string_view reason_not_to_come(Drain::State state);

}  // namespace wsproxy::server
