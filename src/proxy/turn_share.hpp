#pragma once

#include <chrono>
#include <cstdint>

#include "relay/allowance.hpp"

namespace wsproxy::proxy {

/// How many messages of one leg are taken in a turn of the loop: by what the last ones have cost, about
/// kLength's worth. One read holds a few large messages or twenty thousand tiny ones, and everybody else
/// of the worker waits until what it holds is taken. Time is an argument.
class TurnShare {
 public:
  using Duration = std::chrono::steady_clock::duration;

  static constexpr Duration kLength = std::chrono::microseconds{500};
  static constexpr std::int32_t kFirst = 256;
  static constexpr std::int32_t kMost = 1 << 16;  // a read has no more: two octets are the shortest frame

  /// `given`, but no more messages and control frames than one turn's.
  relay::Allowance of(relay::Allowance given) const;
  /// So many messages and control frames were taken in so long.
  void on_taken(std::int64_t count, Duration took);

 private:
  std::int32_t count_ = kFirst;
};

}  // namespace wsproxy::proxy
