#include "cli/tune_figures.hpp"

#include <catch2/catch.hpp>

#include "telemetry/exporter.hpp"

namespace wsproxy::cli {
namespace {

using telemetry::Direction;
using telemetry::Side;

constexpr std::uint64_t kSecond = 1'000'000'000;

/// A proxy that has done everything `times` times, by as many different numbers as there are figures. What
/// the other direction and the other side have are thousands, which belong to no figure.
telemetry::Snapshot proxy(std::uint64_t times) {
  telemetry::Snapshot snapshot;
  auto& counters = snapshot.counters;
  counters.listeners["a"].active = 3;
  counters.listeners["b"].active = 4;
  auto& traffic = counters.traffic.cell({"a", "default"});
  auto& to_client = traffic.relayed[index(Direction::to_client)];
  to_client.messages = {{{times, 2 * times}, {3 * times, 4 * times}}};
  to_client.payload_bytes = 11 * times;
  to_client.wire_bytes[index(Side::client)] = 12 * times;
  to_client.wire_bytes[index(Side::app)] = 1000 * times;
  auto& to_app = traffic.relayed[index(Direction::to_app)];
  to_app.messages[0][0] = 1000 * times;
  to_app.payload_bytes = 1000 * times;
  to_app.wire_bytes = {1000 * times, 1000 * times};
  counters.compression_input_bytes = 13 * times;
  counters.compression_output_bytes = 14 * times;
  counters.compress_ns = 15 * times * kSecond;
  counters.decompress_ns = 1000 * times * kSecond;
  counters.compression_shared = 16 * times;
  for (std::size_t i = 0; i < counters.bypassed.size(); ++i) counters.bypassed[i] = (20 + i) * times;
  for (std::size_t i = 0; i < counters.sacrifices.size(); ++i) counters.sacrifices[i] = (30 + i) * times;
  counters.compression_memory_bytes = 41 * times;
  counters.compression_memory_limit_bytes = 42 * times;
  counters.compression_level = static_cast<std::uint8_t>(times);
  auto& observed = counters.observed;
  for (std::size_t i = 0; i < observed.trials.size(); ++i) {
    const std::uint64_t unit = (50 + i) * times;
    observed.trials[i] = {unit, 2 * unit, 3 * unit, 4 * unit * kSecond};
  }
  for (std::size_t i = 0; i < observed.bypassed.size(); ++i) observed.bypassed[i] = (60 + i) * times;
  observed.seen_messages = 71 * times;
  observed.seen_bytes = 72 * times;
  observed.broadcasts = 73 * times;
  observed.spent_ns = 74 * times * kSecond;
  snapshot.process.cpu_seconds = 75.5 * static_cast<double>(times);
  snapshot.process.threads = 1000;
  snapshot.workers = 4;
  return snapshot;
}

/// As a side port's pages say it.
Figures figures(const telemetry::Snapshot& before, const telemetry::Snapshot& after,
                const config::Config& config = {}) {
  return figures_of(MetricsText{render(before)}, MetricsText{render(after)}, config);
}

TEST_CASE("what happens between two pages is what the second has more") {
  const Figures found = figures(proxy(2), proxy(5));
  CHECK(found.messages == 30);
  CHECK(found.compressed == 18);
  CHECK(found.payload_bytes == 33);
  CHECK(found.wire_bytes == 36);
  CHECK(found.cpu_seconds == Approx(226.5));
  CHECK(found.input_bytes == 39);
  CHECK(found.output_bytes == 42);
  CHECK(found.compress_seconds == Approx(45));
  CHECK(found.shared == 48);
  for (std::size_t i = 0; i < found.bypassed.size(); ++i) {
    CHECK(found.bypassed[i] == 60 + 3 * static_cast<double>(i));
  }
  for (std::size_t i = 0; i < found.sacrifices.size(); ++i) {
    CHECK(found.sacrifices[i] == 90 + 3 * static_cast<double>(i));
  }
}

TEST_CASE("what was observed between two pages is what the second has more") {
  const auto observed = figures(proxy(2), proxy(5)).observed;
  for (std::size_t i = 0; i < observed.trials.size(); ++i) {
    const std::uint64_t unit = (50 + i) * 3;
    CHECK(observed.trials[i].messages == unit);
    CHECK(observed.trials[i].input_bytes == 2 * unit);
    CHECK(observed.trials[i].output_bytes == 3 * unit);
    CHECK(observed.trials[i].compress_ns == 4 * unit * kSecond);
  }
  for (std::size_t i = 0; i < observed.bypassed.size(); ++i) CHECK(observed.bypassed[i] == (60 + i) * 3);
  CHECK(observed.seen_messages == 213);
  CHECK(observed.seen_bytes == 216);
  CHECK(observed.broadcasts == 219);
  CHECK(observed.spent_ns == 222 * kSecond);
}

TEST_CASE("what there is now is what the second page says") {
  const Figures found = figures(proxy(2), proxy(5));
  CHECK(found.connections == 7);
  CHECK(found.workers == 4);
  CHECK(found.memory_bytes == 205);
  CHECK(found.memory_limit_bytes == 210);
  CHECK(found.level == 5);
}

TEST_CASE(
    "without a first page it is all since the start, and after a restart nothing is less than nothing") {
  const Figures since_start = figures_of(MetricsText{""}, MetricsText{render(proxy(5))}, {});
  CHECK(since_start.messages == 50);
  CHECK(since_start.observed.seen_messages == 355);
  const Figures restarted = figures(proxy(5), proxy(2));
  CHECK(restarted.messages == 0);
  CHECK(restarted.observed.seen_messages == 0);
  CHECK(restarted.observed.trials[8].compress_ns == 0);
}

TEST_CASE("the settings in force are the configuration's") {
  config::Config config;
  config.compression.level = 3;
  config.compression.min_size = 99;
  CHECK(figures(proxy(1), proxy(2), config).in_force == config.compression);
}

TEST_CASE("the level that is configured is the lowest of all, where compression is on") {
  config::Config config;
  const auto configured = [&config] { return figures(proxy(1), proxy(2), config).configured_level; };
  CHECK(configured() == 6);
  config.routes.resize(1);
  config.routes[0].compression.level = 1;
  CHECK(configured() == 1);
  config.routes[0].compression.enabled = false;
  CHECK(configured() == 6);
}

}  // namespace
}  // namespace wsproxy::cli
