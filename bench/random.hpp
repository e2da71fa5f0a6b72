#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace bench {

/// SplitMix64: the same numbers from the same seed with every compiler and library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }

  /// 0 .. limit-1; the bias of the remainder is far below what a benchmark can see.
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }
  /// low .. high
  std::size_t between(std::size_t low, std::size_t high) { return low + below(high - low + 1); }
  /// 0 .. 1
  double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
  bool chance(double probability) { return unit() < probability; }

 private:
  std::uint64_t state_;
};

/// Ranks 0 .. count-1, rank r about 1/(r+1) as often as rank 0: how often people speak and words are used.
class Zipf {
 public:
  explicit Zipf(std::size_t count) {
    double sum = 0;
    for (std::size_t rank = 0; rank < count; ++rank) {
      sum += 1.0 / static_cast<double>(rank + 1);
      cumulative_.push_back(sum);
    }
  }

  std::size_t pick(Random& random) const {
    const auto at =
        std::lower_bound(cumulative_.begin(), cumulative_.end(), random.unit() * cumulative_.back());
    return static_cast<std::size_t>(std::distance(cumulative_.begin(), at));
  }

 private:
  std::vector<double> cumulative_;
};

}  // namespace bench
