#pragma once

#include <string>
#include <vector>

#include <prometheus/metric_family.h>

namespace wsproxy::telemetry {

/// OpenMetrics text 1.0.0 of counters, gauges and histograms, which the library does not write. Counters are
/// given by their sample's name, `..._total`. Bounds of buckets are in the canonical form that the standard
/// asks for: `le="1.0"` where text 0.0.4 has `le="1"`.
std::string write_open_metrics(const std::vector<prometheus::MetricFamily>& families);

}  // namespace wsproxy::telemetry
