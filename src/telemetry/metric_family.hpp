#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include "telemetry/histogram.hpp"

/// Families built by hand from plain numbers: the library's registries keep atomics and locks that
/// counting by worker has no use for.
namespace wsproxy::telemetry {

using Labels = std::vector<prometheus::ClientMetric::Label>;

prometheus::MetricFamily make_family(prometheus::MetricType type, std::string name, std::string help);
prometheus::MetricFamily make_gauge(std::string name, std::string help, double value);
prometheus::MetricFamily make_counter(std::string name, std::string help, double value);

void add_counter(prometheus::MetricFamily& family, Labels labels, double value);
void add_gauge(prometheus::MetricFamily& family, Labels labels, double value);

inline double as_number(std::uint64_t value) {
  return static_cast<double>(value);
}

/// `per_unit` observed units make one exported unit: 1e9 from nanoseconds to seconds.
template <const auto& Bounds>
void add_histogram(prometheus::MetricFamily& family, Labels labels, const Histogram<Bounds>& histogram,
                   double per_unit) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < histogram.kBuckets; ++i) {
    below += histogram.counts()[i];
    metric.histogram.bucket.push_back({below, as_number(Bounds[i]) / per_unit});
  }
  metric.histogram.sample_count = below + histogram.counts().back();  // the serializer adds +Inf from it
  metric.histogram.sample_sum = as_number(histogram.sum()) / per_unit;
  family.metric.push_back(std::move(metric));
}

/// One counter for every name of a closed label set.
template <std::size_t N>
prometheus::MetricFamily make_labelled(std::string name, std::string help, const char* label,
                                       const std::array<const char*, N>& values,
                                       const std::array<std::uint64_t, N>& counts) {
  auto family = make_family(prometheus::MetricType::Counter, std::move(name), std::move(help));
  for (std::size_t i = 0; i < N; ++i) add_counter(family, {{label, values[i]}}, as_number(counts[i]));
  return family;
}

}  // namespace wsproxy::telemetry
