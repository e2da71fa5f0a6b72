#pragma once

#include <array>
#include <deque>
#include <map>
#include <string>

#include "net/clock.hpp"
#include "telemetry/traffic.hpp"

namespace wsproxy::server {

/// The latency of the last minute, to ten seconds: by direction, by listener and by route. Counters are
/// totals since the start, so it keeps what they were. Memory: seven times the histograms of the cells in
/// use.
class RecentLatency {
 public:
  static constexpr auto kWindow = std::chrono::seconds{60};
  static constexpr auto kStep = std::chrono::seconds{10};

  /// To be told of the traffic every few seconds.
  void note(const telemetry::TrafficTable& traffic, net::Clock::time_point now);

  struct Result {
    std::array<telemetry::LatencyHistogram, telemetry::kDirections> all;
    std::map<std::string, telemetry::LatencyHistogram> by_listener;
    std::map<std::string, telemetry::LatencyHistogram> by_route;
  };
  /// What `traffic` has more than it had a minute ago; all of it in the first minute.
  Result of(const telemetry::TrafficTable& traffic, net::Clock::time_point now) const;

 private:
  struct Note {
    net::Clock::time_point at;
    std::array<telemetry::LatencyHistogram, telemetry::kDirections> all;
    std::map<telemetry::TrafficTable::Key, telemetry::LatencyHistogram> cells;
  };

  std::deque<Note> notes_;  // the oldest first
};

}  // namespace wsproxy::server
