#include "server/latency_figures.hpp"

#include "telemetry/quantile.hpp"

namespace wsproxy::server {

namespace {

constexpr double kNanosecondsPerSecond = 1e9;

std::optional<double> seconds(const telemetry::LatencyHistogram& nanoseconds, double q) {
  const std::optional<double> value = telemetry::quantile(nanoseconds, q);
  return value ? std::optional{*value / kNanosecondsPerSecond} : std::nullopt;
}

}  // namespace

LatencyFigures figures_of(const telemetry::LatencyHistogram& nanoseconds) {
  return {seconds(nanoseconds, 0.5), seconds(nanoseconds, 0.99)};
}

telemetry::LatencyHistogram both_ways(
    const std::array<telemetry::LatencyHistogram, telemetry::kDirections>& by_direction) {
  telemetry::LatencyHistogram sum;
  for (const auto& one : by_direction) sum += one;
  return sum;
}

}  // namespace wsproxy::server
