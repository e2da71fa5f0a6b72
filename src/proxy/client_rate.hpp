#pragma once

#include <string_view>

#include "config/config.hpp"
#include "proxy/token_bucket.hpp"
#include "relay/allowance.hpp"

namespace wsproxy::proxy {

/// What one client may send by limits.messages_per_second and its like: a second's worth at once, and
/// then at that rate. It may go on as long as nothing is owed, so the one that goes over a limit still
/// passes, and what it owes is waited for. Time is an argument.
class ClientRate {
 public:
  using Clock = TokenBucket::Clock;

  ClientRate(const config::Limits& limits, Clock::time_point now);

  /// What may be taken until something is owed; nothing while something is.
  relay::Allowance allowance(Clock::time_point now) const;
  /// `left` is what is left of an allowance that was `given`.
  void charge(const relay::Allowance& given, const relay::Allowance& left, Clock::time_point now);
  /// How long until nothing is owed; zero when nothing is.
  Clock::duration wait(Clock::time_point now) const;
  /// The key of the limit that is waited for longest; empty when nothing is owed.
  std::string_view exceeded(Clock::time_point now) const;

 private:
  TokenBucket messages_;
  TokenBucket bytes_;
  TokenBucket control_frames_;
};

}  // namespace wsproxy::proxy
