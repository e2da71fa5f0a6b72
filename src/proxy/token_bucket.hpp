#pragma once

#include <chrono>

namespace wsproxy::proxy {

/// A rate: so much a second, and `burst` of it at once after a pause. What has happened already is
/// charged, which may leave a debt to be waited for; what is still to be decided is tried. Time is an
/// argument; one that goes back counts as standing still.
class TokenBucket {
 public:
  using Clock = std::chrono::steady_clock;

  /// A rate of 0 is none: everything is free.
  TokenBucket(double per_second, double burst, Clock::time_point now)
      : per_second_(per_second), burst_(burst), level_(burst), filled_(now) {}

  bool is_off() const { return per_second_ <= 0; }
  /// Takes `amount`, into debt if it must.
  void charge(double amount, Clock::time_point now);
  /// Until the debt is paid; zero when there is none.
  Clock::duration wait(Clock::time_point now) const;
  /// Takes `amount` when all of it is there, else nothing.
  bool try_take(double amount, Clock::time_point now);

  /// What is there; below 0 a debt.
  double level_at(Clock::time_point now) const;

 private:
  double per_second_;
  double burst_;
  double level_;  // what is there since filled_; below 0 a debt
  Clock::time_point filled_;
};

}  // namespace wsproxy::proxy
