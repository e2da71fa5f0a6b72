#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace wsproxy::telemetry {

/// Fixed buckets of plain integers; one thread adds, snapshots are copies. `Bounds` has the upper
/// bounds (inclusive, ascending) in the unit observed; values above go to +Inf.
template <const auto& Bounds>
class Histogram {
 public:
  static constexpr std::size_t kBuckets = Bounds.size();
  void observe(std::uint64_t value, std::uint64_t times = 1) {
    std::size_t i = 0;
    while (i < kBuckets && value > Bounds[i]) ++i;
    counts_[i] += times;
    sum_ += value * times;
  }
  Histogram& operator+=(const Histogram& other) {
    for (std::size_t i = 0; i <= kBuckets; ++i) counts_[i] += other.counts_[i];
    sum_ += other.sum_;
    return *this;
  }
  /// What was observed since `before`, an earlier copy; all of it when that cannot be one.
  Histogram since(const Histogram& before) const {
    Histogram rest = *this;
    for (std::size_t i = 0; i <= kBuckets; ++i) {
      if (before.counts_[i] > counts_[i]) return *this;
      rest.counts_[i] -= before.counts_[i];
    }
    rest.sum_ -= before.sum_;
    return rest;
  }
  /// Not cumulative; the last one is +Inf.
  const std::array<std::uint64_t, kBuckets + 1>& counts() const { return counts_; }
  std::uint64_t sum() const { return sum_; }

 private:
  std::array<std::uint64_t, kBuckets + 1> counts_{};
  std::uint64_t sum_ = 0;
};

}  // namespace wsproxy::telemetry
