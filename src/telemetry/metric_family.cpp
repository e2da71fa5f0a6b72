#include "telemetry/metric_family.hpp"

namespace wsproxy::telemetry {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily make_family(MetricType type, std::string name, std::string help) {
  return {std::move(name), std::move(help), type, {}};
}

MetricFamily make_gauge(std::string name, std::string help, double value) {
  auto family = make_family(MetricType::Gauge, std::move(name), std::move(help));
  add_gauge(family, {}, value);
  return family;
}

MetricFamily make_counter(std::string name, std::string help, double value) {
  auto family = make_family(MetricType::Counter, std::move(name), std::move(help));
  add_counter(family, {}, value);
  return family;
}

void add_counter(MetricFamily& family, Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = value;
  family.metric.push_back(std::move(metric));
}

void add_gauge(MetricFamily& family, Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  family.metric.push_back(std::move(metric));
}

}  // namespace wsproxy::telemetry
