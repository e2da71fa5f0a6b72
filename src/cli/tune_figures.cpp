#include "cli/tune_figures.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "proxy/compression_level.hpp"

namespace wsproxy::cli {
namespace {

constexpr std::uint8_t kHighestLevel = 9;

class Difference {
 public:
  Difference(const MetricsText& before, const MetricsText& after) : before_(before), after_(after) {}

  double of(std::string_view name, std::string_view label = {}) const {
    return std::max(0.0, after_.sum(name, label) - before_.sum(name, label));
  }
  std::uint64_t whole(std::string_view name, std::string_view label = {}) const {
    return static_cast<std::uint64_t>(std::llround(of(name, label)));
  }
  std::uint64_t nanoseconds(std::string_view name, std::string_view label = {}) const {
    return static_cast<std::uint64_t>(std::llround(of(name, label) * 1e9));
  }

 private:
  const MetricsText& before_;
  const MetricsText& after_;
};

std::string label(const char* name, const char* value) {
  return std::string{name} + "=\"" + value + "\"";
}

telemetry::ObservedCounters observed_of(const Difference& difference) {
  telemetry::ObservedCounters observed;
  for (std::size_t i = 0; i < observed.trials.size(); ++i) {
    const std::string trial = label("trial", telemetry::kTrialNames.at(i));
    observed.trials.at(i) = {difference.whole("wsproxy_observed_messages_total", trial),
                             difference.whole("wsproxy_observed_input_bytes_total", trial),
                             difference.whole("wsproxy_observed_output_bytes_total", trial),
                             difference.nanoseconds("wsproxy_observed_compression_seconds_total", trial)};
  }
  for (std::size_t i = 0; i < observed.bypassed.size(); ++i) {
    observed.bypassed.at(i) =
        difference.whole("wsproxy_observed_bypassed_total", label("reason", telemetry::kBypassNames.at(i)));
  }
  observed.seen_messages = difference.whole("wsproxy_observed_seen_messages_total");
  observed.seen_bytes = difference.whole("wsproxy_observed_seen_bytes_total");
  observed.broadcasts = difference.whole("wsproxy_observed_broadcast_total");
  observed.spent_ns = difference.nanoseconds("wsproxy_observing_seconds_total");
  return observed;
}

}  // namespace

Figures figures_of(const MetricsText& before, const MetricsText& after, const config::Config& config) {
  const Difference difference{before, after};
  constexpr const char* kToClient = "direction=\"to_client\"";
  Figures figures;
  figures.in_force = config.compression;
  figures.connections = after.sum("wsproxy_connections_active");
  figures.workers = std::max(1.0, after.sum("wsproxy_workers"));
  figures.messages = difference.of("wsproxy_messages_total", kToClient);
  for (const char* type : {"text", "binary"}) {
    figures.compressed +=
        difference.of("wsproxy_messages_total",
                      std::string{kToClient} + "," + label("type", type) + "," + label("compressed", "true"));
  }
  figures.payload_bytes = difference.of("wsproxy_payload_bytes_total", kToClient);
  figures.wire_bytes = difference.of("wsproxy_wire_bytes_total", "direction=\"to_client\",side=\"client\"");
  figures.cpu_seconds = difference.of("process_cpu_seconds_total");
  figures.input_bytes = difference.of("wsproxy_compression_input_bytes_total");
  figures.output_bytes = difference.of("wsproxy_compression_output_bytes_total");
  figures.compress_seconds =
      difference.of("wsproxy_compression_seconds_total", label("operation", "compress"));
  figures.shared = difference.of("wsproxy_compression_shared_total");
  for (std::size_t i = 0; i < figures.bypassed.size(); ++i) {
    figures.bypassed.at(i) =
        difference.of("wsproxy_compression_bypassed_total", label("reason", telemetry::kBypassNames.at(i)));
  }
  for (std::size_t i = 0; i < figures.sacrifices.size(); ++i) {
    figures.sacrifices.at(i) = difference.of("wsproxy_compression_sacrifices_total",
                                             label("stage", telemetry::kSacrificeNames.at(i)));
  }
  figures.memory_bytes = after.sum("wsproxy_compression_memory_bytes");
  figures.memory_limit_bytes = after.sum("wsproxy_compression_memory_limit_bytes");
  figures.level = static_cast<int>(after.sum("wsproxy_compression_level"));
  figures.configured_level = proxy::lowest_level(config, deflate::Governor{kHighestLevel});
  figures.observed = observed_of(difference);
  return figures;
}

}  // namespace wsproxy::cli
