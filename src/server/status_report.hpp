#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "proxy/peer_tables.hpp"
#include "server/drain.hpp"
#include "server/recent_latency.hpp"
#include "server/status_history.hpp"
#include "telemetry/exporter.hpp"

namespace wsproxy::server {

/// The largest and slowest connections, and when they were looked at.
struct PeerReport {
  std::chrono::system_clock::time_point as_of;
  proxy::PeerTables tables;
};

/// Everything GET /status tells.
struct StatusReport {
  std::string version;
  std::chrono::system_clock::time_point time;
  std::chrono::system_clock::time_point started;
  Drain::State state = Drain::State::serving;
  std::string not_ready;  // why /readyz says 503; empty when it does not
  std::optional<Drain::Progress> drain;
  std::size_t open = 0;  // connections, those that are being dropped too
  std::size_t workers = 0;
  std::string log_level;
  std::shared_ptr<const config::Config> config;
  telemetry::ReloadCounters reloads;
  telemetry::Counters counters;  // the sum over all workers
  std::vector<telemetry::CertificateExpiry> certificates;
  RecentLatency::Result latency;
  PeerReport peers;
  std::uint64_t last_sample = 0;
  std::vector<StatusSample> samples;  // those asked for
};

/// JSON, as docs/status.md has it. What peers say may be anything: what is not UTF-8 becomes U+FFFD.
std::string to_json(const StatusReport& report);

}  // namespace wsproxy::server
