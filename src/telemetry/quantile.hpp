#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "telemetry/histogram.hpp"

namespace wsproxy::telemetry {

/// The value that a share `q`, 0 to 1, of all observations stays below, as far as buckets tell: between
/// the bounds of its bucket by a straight line, and the last bound for what is above that. `counts` is not
/// cumulative and has one more than `bounds`. Nothing when nothing was observed.
std::optional<double> quantile(std::span<const std::uint64_t> counts, std::span<const std::uint64_t> bounds,
                               double q);

/// In the unit observed.
template <const auto& Bounds>
std::optional<double> quantile(const Histogram<Bounds>& histogram, double q) {
  return quantile(histogram.counts(), Bounds, q);
}

}  // namespace wsproxy::telemetry
