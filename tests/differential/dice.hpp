#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace wsproxy::test {

/// Numbers that follow from a seed and a conversation's number alone, with every compiler and library.
class Dice {
 public:
  Dice(std::uint64_t seed, std::uint64_t conversation) : engine_(seed * 0x9E3779B97F4A7C15U + conversation) {}
  /// Others, which follow from these.
  Dice fork() { return Dice{engine_(), 0}; }
  /// From 0 to bound - 1.
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(engine_() >> 11U) % bound; }
  std::size_t from_to(std::size_t least, std::size_t most) { return least + below(most - least + 1); }
  bool one_in(std::size_t count) { return below(count) == 0; }
  template <typename Array>
  const auto& of(const Array& choices) {
    return choices[below(std::size(choices))];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace wsproxy::test
