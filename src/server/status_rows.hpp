#pragma once

#include <nlohmann/json.hpp>

#include "server/status_report.hpp"

/// The tables of GET /status.
namespace wsproxy::server {

double unix_time(std::chrono::system_clock::time_point time);
/// null when there is no input.
nlohmann::ordered_json ratio_of(std::uint64_t output, std::uint64_t input);
nlohmann::ordered_json latency_json(const LatencyFigures& figures);

/// Those of the configuration in its order, also when nobody has used them, then those that a reload has
/// removed and somebody still uses.
nlohmann::ordered_json listener_rows(const StatusReport& report);
nlohmann::ordered_json route_rows(const StatusReport& report);

nlohmann::ordered_json peer_tables_json(const PeerReport& peers);
nlohmann::ordered_json history_json(const StatusReport& report);

}  // namespace wsproxy::server
