#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "telemetry/counters.hpp"
#include "telemetry/metrics_format.hpp"
#include "telemetry/process_metrics.hpp"

namespace wsproxy::telemetry {

struct CertificateExpiry {
  std::string listener;  // its name
  std::string file;
  std::chrono::system_clock::time_point not_after;
};

struct ReloadCounters {
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::chrono::system_clock::time_point last_success;  // the load at the start counts
};

/// Everything /metrics tells, collected by whoever owns the workers.
struct Snapshot {
  Counters counters;  // the sum over all workers
  std::vector<CertificateExpiry> certificates;
  std::uint64_t workers = 0;            // that run
  std::uint64_t connections_limit = 0;  // limits.max_connections
  std::uint64_t log_lines_dropped = 0;
  std::string version;
  bool draining = false;
  ReloadCounters reloads;
  ProcessMetrics process;
};

/// Every series of every label set is there from the first scrape, so
/// that a rate over a rare event is 0 and not missing.
std::string render(const Snapshot& snapshot, MetricsFormat format = MetricsFormat::prometheus_text);

}  // namespace wsproxy::telemetry
