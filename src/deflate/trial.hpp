#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace wsproxy::deflate {

/// Settings that observing tries on a message: a level and how far back it may refer.
/// telemetry::kTrialNames has their names by index.
struct Trial {
  std::uint8_t level = 6;
  std::size_t reach = 0;
  bool operator==(const Trial&) const = default;
};

inline constexpr std::array<Trial, 9> kTrials{
    {{1, 0}, {1, 4096}, {1, 32768}, {6, 0}, {6, 4096}, {6, 32768}, {9, 0}, {9, 4096}, {9, 32768}}};

/// Takes the trials in turn, each size of message by itself: all of them get the same mix of sizes, so that
/// what they make of it can be compared.
class TrialTurns {
 public:
  /// An index into kTrials. `size_class` is the bit width of the message's size.
  std::size_t next(std::size_t size_class) {
    std::uint8_t& turn = turns_[std::min(size_class, turns_.size() - 1)];
    const std::size_t chosen = turn;
    turn = static_cast<std::uint8_t>((turn + 1U) % kTrials.size());
    return chosen;
  }

 private:
  std::array<std::uint8_t, 32> turns_{};
};

}  // namespace wsproxy::deflate
