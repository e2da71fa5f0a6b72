#include "server/status_report.hpp"

#include "config/dump.hpp"
#include "server/status_rows.hpp"
#include "telemetry/label_names.hpp"

namespace wsproxy::server {

using telemetry::Direction;
using telemetry::Side;

namespace {

using Json = nlohmann::ordered_json;

constexpr double kNanosecondsPerSecond = 1e9;
constexpr double kBytesPerGb = 1e9;
constexpr std::size_t kClient = telemetry::index(Side::client);

template <std::size_t N>
Json by_name(const std::array<const char*, N>& names, const std::array<std::uint64_t, N>& counts) {
  Json result = Json::object();
  for (std::size_t i = 0; i < N; ++i) result[names[i]] = counts[i];
  return result;
}

template <std::size_t N>
Json non_zero(const std::array<const char*, N>& names, const std::array<std::uint64_t, N>& counts) {
  Json result = Json::object();
  for (std::size_t i = 0; i < N; ++i) {
    if (counts[i] != 0) result[names[i]] = counts[i];
  }
  return result;
}

const char* state_name(Drain::State state) {
  switch (state) {
    case Drain::State::serving:
      return "serving";
    case Drain::State::draining:
      return "draining";
    case Drain::State::closing:
      return "closing";
    case Drain::State::drained:
      break;
  }
  return "drained";
}

Json drain_json(const StatusReport& report) {
  if (!report.drain) return nullptr;
  return {{"since", unix_time(report.drain->since)},
          {"ends", unix_time(report.drain->ends)},
          {"at_start", report.drain->at_start},
          {"left", report.open}};
}

Json connections_json(const StatusReport& report) {
  telemetry::ListenerCounters sum = report.counters.listeners_gone;
  for (const auto& [name, listener] : report.counters.listeners) sum += listener;
  return {{"active", sum.active},
          {"limit", report.config->limits.max_connections},
          {"results", by_name(telemetry::kResultNames, sum.total)}};
}

Json traffic_json(const telemetry::Traffic& traffic) {
  Json result;
  for (std::size_t d = 0; d < telemetry::kDirections; ++d) {
    const telemetry::DirectionCounters& counted = traffic.relayed[d];
    result[telemetry::kDirectionNames[d]] = {{"messages", counted.message_count()},
                                             {"payload_bytes", counted.payload_bytes},
                                             {"wire_bytes", counted.wire_bytes[kClient]}};
  }
  return result;
}

const char* mode_name(const config::Compression& compression) {
  if (!compression.enabled) return "off";
  return compression.mode == config::CompressionMode::observe ? "observe" : "compress";
}

/// What the settings in force would come to, where compression.mode: observe has tried something like them.
Json observed_json(const config::Compression& settings, const telemetry::ObservedCounters& observed) {
  const std::size_t window = std::size_t{1} << settings.window_bits;
  const std::size_t reach =
      settings.context_takeover ? std::min<std::size_t>(settings.history.bytes, window) : 0;
  const auto savings = telemetry::observed_savings(observed, telemetry::nearest_trial(settings.level, reach));
  if (!savings) return nullptr;
  return {{"messages", savings->messages},
          {"input_bytes", savings->input_bytes},
          {"output_bytes", savings->output_bytes},
          {"saved_bytes", savings->saved_bytes},
          {"compress_seconds", savings->compress_seconds}};
}

Json compression_json(const config::Compression& settings, const telemetry::Counters& counters) {
  const std::uint64_t input = counters.compression_input_bytes;
  const std::uint64_t output = counters.compression_output_bytes;
  const double saved = static_cast<double>(input) - static_cast<double>(output);
  const double seconds = static_cast<double>(counters.compress_ns) / kNanosecondsPerSecond;
  return {{"mode", mode_name(settings)},
          {"level", counters.compression_level},
          {"input_bytes", input},
          {"output_bytes", output},
          {"saved_bytes", static_cast<std::int64_t>(input - output)},
          {"ratio", ratio_of(output, input)},
          {"compress_seconds", seconds},
          {"decompress_seconds", static_cast<double>(counters.decompress_ns) / kNanosecondsPerSecond},
          {"cpu_seconds_per_gb_saved", saved > 0 ? Json(seconds / (saved / kBytesPerGb)) : Json(nullptr)},
          {"shared", counters.compression_shared},
          {"bypassed", by_name(telemetry::kBypassNames, counters.bypassed)},
          {"memory_bytes", counters.compression_memory_bytes},
          {"memory_limit_bytes", counters.compression_memory_limit_bytes},
          {"observed", observed_json(settings, counters.observed)}};
}

Json closes_json(const telemetry::Counters& counters) {
  Json result;
  for (std::size_t side = 0; side < telemetry::kSides; ++side) {
    Json codes = Json::object();
    for (std::size_t i = 0; i < telemetry::kCloseCodes.size(); ++i) {
      if (counters.closes[side][i] == 0) continue;
      const bool is_other = i + 1 == telemetry::kCloseCodes.size();
      codes[is_other ? "other" : std::to_string(telemetry::kCloseCodes[i])] = counters.closes[side][i];
    }
    result[telemetry::kSideNames[side]] = std::move(codes);
  }
  return result;
}

Json tls_json(const StatusReport& report) {
  std::uint64_t handshakes = 0;
  std::uint64_t resumed = 0;
  for (const auto& of_version : report.counters.tls_handshakes) {
    handshakes += of_version[0] + of_version[1];
    resumed += of_version[1];
  }
  std::uint64_t errors = 0;
  for (const std::uint64_t count : report.counters.tls_failures) errors += count;
  Json certificates = Json::array();
  for (const telemetry::CertificateExpiry& one : report.certificates) {
    certificates.push_back(
        {{"listener", one.listener}, {"file", one.file}, {"expires", unix_time(one.not_after)}});
  }
  return {{"handshakes", handshakes},
          {"resumed", resumed},
          {"errors", errors},
          {"certificates", std::move(certificates)}};
}

/// Also whoever puts the answer into a page as it is gets no element of a peer's.
std::string without_tags(const std::string& json) {
  std::string result;
  result.reserve(json.size());
  for (const char c : json) c == '<' ? result += "\\u003c" : result += c;
  return result;
}

}  // namespace

std::string to_json(const StatusReport& report) {
  const config::Config& config = *report.config;
  const telemetry::Counters& counters = report.counters;
  const Json json{
      {"version", report.version},
      {"time", unix_time(report.time)},
      {"started", unix_time(report.started)},
      {"state", state_name(report.state)},
      {"ready", {{"ok", report.not_ready.empty()}, {"reason", report.not_ready}}},
      {"drain", drain_json(report)},
      {"workers", report.workers},
      {"log_level", report.log_level},
      {"upstream", config.upstream.url.text()},
      {"config_loaded", unix_time(report.reloads.last_success)},
      {"config_reloads", {{"success", report.reloads.succeeded}, {"failure", report.reloads.failed}}},
      {"connections", connections_json(report)},
      {"handshakes", by_name(telemetry::kExtensionNames, counters.handshakes)},
      {"rejected", non_zero(telemetry::kRejectionNames, counters.rejected)},
      {"upstream_errors", non_zero(telemetry::kUpstreamErrorNames, counters.upstream_errors)},
      {"traffic", traffic_json(counters.traffic.sum())},
      {"compression", compression_json(config.compression, counters)},
      {"latency",
       {{"to_client", latency_json(figures_of(report.latency.all[telemetry::index(Direction::to_client)]))},
        {"to_app", latency_json(figures_of(report.latency.all[telemetry::index(Direction::to_app)]))}}},
      {"closes", closes_json(counters)},
      {"tls", tls_json(report)},
      {"listeners", listener_rows(report)},
      {"routes", route_rows(report)},
      {"peers", peer_tables_json(report.peers)},
      {"history", history_json(report)},
      {"config", config::dump(config)}};
  return without_tags(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace wsproxy::server
