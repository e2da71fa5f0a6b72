#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "telemetry/sentry_event.hpp"

namespace wsproxy::telemetry {

/// Events on their way from whoever has an error to the thread that sends. Adding waits for nothing: an event
/// that has no room, or is one of too many in a minute, is dropped and counted. Any thread.
class SentryQueue {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::size_t kMostEvents = 100;
  /// In a minute, on average; as many at once. An error for each connection must not become a flood.
  static constexpr unsigned kEventsPerMinute = 30;

  /// Until then nothing is taken. `on_more` is called after events came, on the thread that has added it, and
  /// must not block. What it throws is swallowed: the event stays, and the next one calls again.
  void open(std::function<void()> on_more);
  /// Takes nothing more; no call comes after this.
  void close();

  void add(SentryEvent event, Time now);
  /// The oldest, when there is one.
  std::optional<SentryEvent> take();
  std::size_t size() const;
  /// How many were dropped since the last call.
  std::uint64_t take_dropped();
  /// Adds to these what was taken and could not be sent.
  void count_dropped(std::uint64_t events);

 private:
  bool has_room(Time now);

  mutable std::mutex mutex_;
  std::function<void()> on_more_;  // nothing: it is closed
  std::deque<SentryEvent> events_;
  double allowance_ = kEventsPerMinute;
  std::optional<Time> last_;
  std::uint64_t dropped_ = 0;
};

}  // namespace wsproxy::telemetry
