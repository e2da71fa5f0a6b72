#include "telemetry/quantile.hpp"

#include <numeric>

namespace wsproxy::telemetry {

std::optional<double> quantile(std::span<const std::uint64_t> counts, std::span<const std::uint64_t> bounds,
                               double q) {
  const auto all = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  if (all == 0) return std::nullopt;
  const double rank = q * static_cast<double>(all);
  double below = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const auto here = static_cast<double>(counts[i]);
    if (here > 0 && below + here >= rank) {
      const double lower = i == 0 ? 0 : static_cast<double>(bounds[i - 1]);
      return lower + (static_cast<double>(bounds[i]) - lower) * (rank - below) / here;
    }
    below += here;
  }
  return static_cast<double>(bounds.back());
}

}  // namespace wsproxy::telemetry
