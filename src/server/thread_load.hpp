#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "net/clock.hpp"

namespace wsproxy::server {

/// How long the calling thread has run or, ready to run, has waited for a CPU. The waiting is what a
/// container's quota and a full machine look like from inside: there the time on a CPU alone stays low.
std::chrono::nanoseconds cpu_time_wanted();

/// The same from the text of /proc/thread-self/schedstat: time on a CPU, time waiting for one, turns.
std::optional<std::chrono::nanoseconds> parse_schedstat(std::string_view text);

/// What part of the time one thread wants a CPU.
class ThreadLoad {
 public:
  /// The part since the call before, 0 to 1; 0 the first time.
  double observe(std::chrono::nanoseconds wanted, net::Clock::time_point now);

 private:
  struct Reading {
    std::chrono::nanoseconds wanted;
    net::Clock::time_point at;
  };
  std::optional<Reading> last_;
};

}  // namespace wsproxy::server
