#include "server/status_rows.hpp"

#include <set>

#include "proxy/destination.hpp"

namespace wsproxy::server {

using telemetry::Direction;

namespace {

using Json = nlohmann::ordered_json;
using Relayed = std::array<telemetry::DirectionCounters, telemetry::kDirections>;
using Labels = std::map<std::string, telemetry::Traffic>;
using Latencies = std::map<std::string, telemetry::LatencyHistogram>;

constexpr std::size_t kClient = telemetry::index(telemetry::Side::client);
constexpr std::size_t kToClient = telemetry::index(Direction::to_client);
constexpr std::size_t kToApp = telemetry::index(Direction::to_app);

Json number_or_null(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

/// The cells summed by one of their two labels.
Labels sums_by(std::string telemetry::TrafficTable::Key::*label, const telemetry::TrafficTable& traffic) {
  Labels sums;
  for (const auto& [key, cell] : traffic.cells()) sums[key.*label] += cell;
  return sums;
}

/// `ratio` is what the docs call so: bytes to the client a byte of payload.
void add_relayed(Json& row, const Relayed& relayed) {
  row["messages_to_client"] = relayed[kToClient].message_count();
  row["messages_to_app"] = relayed[kToApp].message_count();
  row["payload_to_client"] = relayed[kToClient].payload_bytes;
  row["payload_to_app"] = relayed[kToApp].payload_bytes;
  row["wire_to_client"] = relayed[kToClient].wire_bytes[kClient];
  row["wire_to_app"] = relayed[kToApp].wire_bytes[kClient];
  row["ratio"] = ratio_of(relayed[kToClient].wire_bytes[kClient], relayed[kToClient].payload_bytes);
}

void add_latency(Json& row, const Latencies& latencies, const std::string& name) {
  const auto found = latencies.find(name);
  row.update(latency_json(found == latencies.end() ? LatencyFigures{} : figures_of(found->second)));
}

std::uint64_t sum_of(const std::array<std::uint64_t, telemetry::kConnectionResults>& results) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : results) sum += count;
  return sum;
}

Json peer_row(const proxy::Peer& peer) {
  Json row{{"client", peer.client},
           {"listener", peer.listener},
           {"route", peer.route},
           {"path", peer.path},
           {"since", unix_time(peer.since)}};
  add_relayed(row, peer.relayed);
  row["queued_to_client"] = peer.queued[kToClient];
  row["queued_to_app"] = peer.queued[kToApp];
  row["paused"] = peer.weight.is_paused;
  return row;
}

Json peer_rows(const std::vector<proxy::Peer>& peers) {
  Json rows = Json::array();
  for (const proxy::Peer& peer : peers) rows.push_back(peer_row(peer));
  return rows;
}

Json sample_json(const StatusSample& sample) {
  Json json{{"seq", sample.seq},
            {"time", unix_time(sample.time)},
            {"connections", sample.connections},
            {"messages_to_client", sample.rates[kToClient].messages},
            {"messages_to_app", sample.rates[kToApp].messages},
            {"wire_to_client", sample.rates[kToClient].wire_bytes},
            {"wire_to_app", sample.rates[kToApp].wire_bytes},
            {"payload_to_client", sample.rates[kToClient].payload_bytes},
            {"payload_to_app", sample.rates[kToApp].payload_bytes},
            {"saved", sample.saved_bytes},
            {"compress_cpu", sample.compress_cpu},
            {"memory", sample.compression_memory_bytes}};
  json.update(latency_json(sample.latency));
  return json;
}

}  // namespace

double unix_time(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

Json ratio_of(std::uint64_t output, std::uint64_t input) {
  return input == 0 ? Json(nullptr) : Json(static_cast<double>(output) / static_cast<double>(input));
}

Json latency_json(const LatencyFigures& figures) {
  return {{"p50", number_or_null(figures.p50)}, {"p99", number_or_null(figures.p99)}};
}

Json listener_rows(const StatusReport& report) {
  Labels traffic = sums_by(&telemetry::TrafficTable::Key::listener, report.counters.traffic);
  Json rows = Json::array();
  std::set<std::string> told;
  const auto add = [&](const std::string& name, const std::string& address, bool is_secure) {
    if (!told.insert(name).second) return;
    const auto counted = report.counters.listeners.find(name);
    const telemetry::ListenerCounters own =
        counted == report.counters.listeners.end() ? telemetry::ListenerCounters{} : counted->second;
    Json row{{"name", name},
             {"address", address},
             {"tls", is_secure},
             {"active", own.active},
             {"total", sum_of(own.total)}};
    add_relayed(row, traffic[name].relayed);
    add_latency(row, report.latency.by_listener, name);
    rows.push_back(std::move(row));
  };
  for (const config::Listener& listener : report.config->listeners) {
    add(listener.label(), listener.address.text(), listener.tls.has_value());
  }
  for (const auto& [name, counters] : report.counters.listeners) {
    if (counters.active != 0) add(name, "", false);
  }
  return rows;
}

Json route_rows(const StatusReport& report) {
  const config::Config& config = *report.config;
  Labels traffic = sums_by(&telemetry::TrafficTable::Key::route, report.counters.traffic);
  Json rows = Json::array();
  std::set<std::string> told;
  const auto add = [&](const std::string& name, const std::string& upstream) {
    if (!told.insert(name).second) return;
    const telemetry::Traffic& own = traffic[name];
    Json row{{"name", name}, {"upstream", upstream}, {"active", own.active}, {"total", own.total}};
    add_relayed(row, own.relayed);
    add_latency(row, report.latency.by_route, name);
    rows.push_back(std::move(row));
  };
  for (std::size_t number = 0; number <= config.routes.size(); ++number) {
    const config::Upstream& upstream = number == 0 ? config.upstream : config.routes[number - 1].upstream;
    add(proxy::route_label(config, number), upstream.url.text());
  }
  const Labels used = traffic;
  for (const auto& [name, counted] : used) {
    if (counted.active != 0) add(name, "");
  }
  return rows;
}

Json peer_tables_json(const PeerReport& peers) {
  return {{"as_of", unix_time(peers.as_of)},
          {"open", peers.tables.open},
          {"largest", peer_rows(peers.tables.largest)},
          {"slowest", peer_rows(peers.tables.slowest)}};
}

Json history_json(const StatusReport& report) {
  Json samples = Json::array();
  for (const StatusSample& sample : report.samples) samples.push_back(sample_json(sample));
  return {{"seq", report.last_sample},
          {"interval", std::chrono::duration<double>(StatusHistory::kInterval).count()},
          {"samples", std::move(samples)}};
}

}  // namespace wsproxy::server
