#pragma once

#include <optional>

#include "telemetry/traffic.hpp"

namespace wsproxy::server {

/// How long messages were on their way through the proxy, in seconds; nothing without a message.
struct LatencyFigures {
  std::optional<double> p50;
  std::optional<double> p99;
};

LatencyFigures figures_of(const telemetry::LatencyHistogram& nanoseconds);

/// Of both directions together.
telemetry::LatencyHistogram both_ways(
    const std::array<telemetry::LatencyHistogram, telemetry::kDirections>& by_direction);

}  // namespace wsproxy::server
