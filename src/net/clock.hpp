#pragma once

#include <chrono>

namespace wsproxy::net {

/// The time of loops, timers and deadlines: the steady clock's, but from one place (clock.cpp), so that a
/// test can link a now() of its own (tests/support/manual_clock) and be the one who lets time pass.
struct Clock {
  using duration = std::chrono::steady_clock::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};

}  // namespace wsproxy::net
