#pragma once

#include <array>

#include "cli/metrics_text.hpp"
#include "config/config.hpp"
#include "telemetry/counters.hpp"

namespace wsproxy::cli {

/// What a running proxy did within some seconds, as far as it bears on the settings of its compression.
struct Figures {
  config::Compression in_force;
  double seconds = 0;
  double connections = 0;  // now
  double workers = 1;
  double messages = 0;       // to clients
  double compressed = 0;     // of them
  double payload_bytes = 0;  // to clients
  double wire_bytes = 0;     // to clients
  double cpu_seconds = 0;    // of the process
  // What was compressed.
  double input_bytes = 0;
  double output_bytes = 0;
  double compress_seconds = 0;
  double shared = 0;  // messages
  std::array<double, telemetry::kBypassNames.size()> bypassed{};
  std::array<double, telemetry::kSacrificeNames.size()> sacrifices{};
  double memory_bytes = 0;        // now
  double memory_limit_bytes = 0;  // now
  int level = 0;                  // the lowest in force now
  int configured_level = 0;       // the lowest of all that are configured, those of routes included
  // What was observed.
  telemetry::ObservedCounters observed;
};

/// From two scrapes, or from one and a page without samples: since the start.
Figures figures_of(const MetricsText& before, const MetricsText& after, const config::Config& config);

}  // namespace wsproxy::cli
