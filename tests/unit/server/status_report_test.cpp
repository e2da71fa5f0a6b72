#include "server/status_report.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace wsproxy;
using namespace std::chrono_literals;
using nlohmann::json;
using telemetry::Direction;
using telemetry::Side;

namespace {

const std::chrono::system_clock::time_point kStart{1'700'000'000s + 500ms};

config::Config two_by_two() {
  config::Config config;
  config.listeners[0].name = "public";
  config.listeners.push_back({});
  config.listeners[1].address.port = 8010;
  config.listeners[1].tls.emplace();
  config.routes.push_back({{"", "/chat"}, config.upstream, config.compression, config.limits, "chat"});
  config.routes[0].upstream.url.port = 5678;
  return config;
}

server::StatusReport report_of(config::Config config = {}) {
  server::StatusReport report;
  report.version = "0.1.0";
  report.started = kStart;
  report.time = kStart + 10s;
  report.workers = 2;
  report.log_level = "info";
  report.config = std::make_shared<const config::Config>(std::move(config));
  return report;
}

json parsed(const server::StatusReport& report) {
  return json::parse(to_json(report));
}

telemetry::DirectionCounters relayed(std::uint64_t messages, std::uint64_t payload, std::uint64_t wire) {
  telemetry::DirectionCounters result;
  result.messages[0][1] = messages;
  result.payload_bytes = payload;
  result.wire_bytes[telemetry::index(Side::client)] = wire;
  result.wire_bytes[telemetry::index(Side::app)] = 7'777;
  return result;
}

/// What a row of a table has that says the same.
void check_relayed(const json& row, const json& expected) {
  CHECK(json::array({row["messages_to_client"], row["payload_to_client"], row["wire_to_client"],
                     row["messages_to_app"], row["payload_to_app"], row["wire_to_app"]}) == expected);
}

}  // namespace

TEST_CASE("what observing has found is told for the settings in force") {
  server::StatusReport report = report_of();
  auto& observed = report.counters.observed;
  observed.seen_messages = 1000;
  observed.seen_bytes = 500'000;
  auto& trial = observed.trials.at(telemetry::nearest_trial(6, 32768));
  trial = {.messages = 10, .input_bytes = 5'000, .output_bytes = 1'000, .compress_ns = 20'000};
  const json told = parsed(report)["compression"]["observed"];
  CHECK(told["messages"] == 1000);
  CHECK(told["input_bytes"] == 500'000);
  CHECK(told["output_bytes"] == 100'000);
  CHECK(told["saved_bytes"] == 400'000);
  CHECK(told["compress_seconds"] == Approx(0.002));
}

TEST_CASE("a proxy that has done nothing tells all there is, with zeros and nulls") {
  const json status = parsed(report_of());
  CHECK(status["version"] == "0.1.0");
  CHECK(status["started"] == 1'700'000'000.5);
  CHECK(status["time"] == 1'700'000'010.5);
  CHECK(status["state"] == "serving");
  CHECK(status["ready"] == json{{"ok", true}, {"reason", ""}});
  CHECK(status["drain"].is_null());
  CHECK(status["workers"] == 2);
  CHECK(status["log_level"] == "info");
  CHECK(status["upstream"] == "ws://localhost:8008");
  CHECK(status["connections"]["limit"] == 10'000);
  CHECK(status["connections"]["results"].size() == telemetry::kConnectionResults);
  CHECK(status["handshakes"] == json{{"accepted", 0}, {"declined", 0}, {"absent", 0}});
  CHECK(status["rejected"] == json::object());
  CHECK(status["upstream_errors"] == json::object());
  CHECK(status["closes"] == json{{"client", json::object()}, {"app", json::object()}});
  CHECK(status["compression"]["ratio"].is_null());
  CHECK(status["compression"]["cpu_seconds_per_gb_saved"].is_null());
  CHECK(status["compression"]["observed"].is_null());
  CHECK(status["latency"]["to_app"] == json{{"p50", nullptr}, {"p99", nullptr}});
  CHECK(status["tls"]["certificates"] == json::array());
  CHECK(status["peers"]["largest"] == json::array());
  CHECK(status["history"] == json{{"seq", 0}, {"interval", 2.0}, {"samples", json::array()}});
  CHECK(status["listeners"].size() == 1);
  CHECK(status["routes"].size() == 1);
  CHECK(status["routes"][0]["name"] == "default");
  CHECK(status["routes"][0]["ratio"].is_null());
  CHECK(status["config"].get<std::string>().find("max_connections: 10000") != std::string::npos);
}

TEST_CASE("each count stands at its own name") {
  auto report = report_of();
  report.not_ready = "the app does not answer";
  report.state = server::Drain::State::draining;
  report.drain = {kStart + 1s, kStart + 26s, 9};
  report.open = 4;
  report.reloads = {3, 1, kStart + 2s};
  report.certificates.push_back({"public", "/tls/tls.crt", kStart + 60s});
  auto& listener = report.counters.listeners["127.0.0.1:8009"];
  listener.active = 5;
  listener.total[static_cast<std::size_t>(telemetry::ConnectionResult::forwarded)] = 6;
  auto& counters = report.counters;
  counters.handshakes[static_cast<std::size_t>(telemetry::ExtensionOutcome::declined)] = 2;
  counters.rejected[static_cast<std::size_t>(telemetry::Rejection::origin)] = 3;
  counters.upstream_errors[static_cast<std::size_t>(telemetry::UpstreamError::lost)] = 4;
  counters.closes[telemetry::index(Side::app)][telemetry::close_code_index(1001)] = 5;
  counters.closes[telemetry::index(Side::client)][telemetry::close_code_index(4711)] = 6;
  counters.tls_handshakes[0][1] = 7;
  counters.tls_handshakes[1][0] = 8;
  counters.tls_failures[2] = 9;
  counters.tls_failures[0] = 1;

  const json status = parsed(report);
  CHECK(status["ready"] == json{{"ok", false}, {"reason", "the app does not answer"}});
  CHECK(status["state"] == "draining");
  CHECK(status["drain"] ==
        json{{"since", 1'700'000'001.5}, {"ends", 1'700'000'026.5}, {"at_start", 9}, {"left", 4}});
  CHECK(status["config_reloads"] == json{{"success", 3}, {"failure", 1}});
  CHECK(status["config_loaded"] == 1'700'000'002.5);
  CHECK(status["connections"]["active"] == 5);
  CHECK(status["connections"]["results"]["forwarded"] == 6);
  CHECK(status["connections"]["results"]["upgraded"] == 0);
  CHECK(status["handshakes"]["declined"] == 2);
  CHECK(status["rejected"] == json{{"origin", 3}});
  CHECK(status["upstream_errors"] == json{{"lost", 4}});
  CHECK(status["closes"] == json{{"client", {{"other", 6}}}, {"app", {{"1001", 5}}}});
  CHECK(status["tls"]["handshakes"] == 15);
  CHECK(status["tls"]["resumed"] == 7);
  CHECK(status["tls"]["errors"] == 10);
  CHECK(status["tls"]["certificates"] ==
        json::array({{{"listener", "public"}, {"file", "/tls/tls.crt"}, {"expires", 1'700'000'060.5}}}));
}

TEST_CASE("compression tells what it saved and what that took") {
  auto report = report_of();
  auto& counters = report.counters;
  counters.compression_input_bytes = 3'000'000'000;
  counters.compression_output_bytes = 1'000'000'000;
  counters.compress_ns = 5'000'000'000;
  counters.decompress_ns = 250'000'000;
  counters.compression_shared = 11;
  counters.compression_level = 3;
  counters.bypassed[0] = 12;
  counters.compression_memory_bytes = 13;
  counters.compression_memory_limit_bytes = 14;
  const json compression = parsed(report)["compression"];
  CHECK(compression["mode"] == "compress");
  CHECK(compression["level"] == 3);
  CHECK(compression["input_bytes"] == 3'000'000'000);
  CHECK(compression["output_bytes"] == 1'000'000'000);
  CHECK(compression["saved_bytes"] == 2'000'000'000);
  CHECK(compression["ratio"].get<double>() == Approx(1.0 / 3));
  CHECK(compression["compress_seconds"] == 5.0);
  CHECK(compression["decompress_seconds"] == 0.25);
  CHECK(compression["cpu_seconds_per_gb_saved"] == 2.5);
  CHECK(compression["shared"] == 11);
  CHECK(compression["bypassed"]["too_small"] == 12);
  CHECK(compression["bypassed"]["memory"] == 0);
  CHECK(compression["memory_bytes"] == 13);
  CHECK(compression["memory_limit_bytes"] == 14);
}

TEST_CASE("what grew instead of shrinking saved less than nothing, at no price") {
  auto report = report_of();
  report.counters.compression_input_bytes = 100;
  report.counters.compression_output_bytes = 101;
  report.counters.compress_ns = 1000;
  const json compression = parsed(report)["compression"];
  CHECK(compression["saved_bytes"] == -1);
  CHECK(compression["cpu_seconds_per_gb_saved"].is_null());
}

TEST_CASE("the mode of compression is that of the configuration") {
  config::Config config;
  config.compression.mode = config::CompressionMode::observe;
  CHECK(parsed(report_of(config))["compression"]["mode"] == "observe");
  config.compression.enabled = false;
  CHECK(parsed(report_of(config))["compression"]["mode"] == "off");
}

TEST_CASE("traffic is told as a whole, by listener and by route") {
  auto report = report_of(two_by_two());
  auto& table = report.counters.traffic;
  const auto fill = [&table](const char* listener, const char* route, std::uint64_t factor) {
    telemetry::Traffic& cell = table.cell({listener, route});
    cell.active = static_cast<std::int64_t>(factor);
    cell.total = 2 * factor;
    cell.relayed = {relayed(factor, 100 * factor, 25 * factor),
                    relayed(3 * factor, 300 * factor, 310 * factor)};
  };
  fill("public", "default", 1);
  fill("public", "chat", 10);
  fill("127.0.0.1:8010", "chat", 100);
  report.counters.listeners["public"].active = 12;
  report.counters.listeners["public"].total[0] = 20;
  report.counters.listeners["public"].total[2] = 3;
  report.counters.listeners_gone.total[0] = 100;
  report.latency.by_listener["public"].observe(40'000, 100);
  report.latency.by_route["chat"].observe(200'000, 100);
  report.latency.all[0].observe(40'000, 100);

  const json status = parsed(report);
  CHECK(status["traffic"]["to_client"] ==
        json{{"messages", 111}, {"payload_bytes", 11'100}, {"wire_bytes", 2'775}});
  CHECK(status["traffic"]["to_app"] ==
        json{{"messages", 333}, {"payload_bytes", 33'300}, {"wire_bytes", 34'410}});
  CHECK(status["connections"]["results"]["upgraded"] == 120);
  CHECK(status["latency"]["to_client"]["p50"].get<double>() == Approx(37.5e-6));
  CHECK(status["latency"]["to_app"]["p50"].is_null());

  REQUIRE(status["listeners"].size() == 2);
  const json& outside = status["listeners"][0];
  CHECK(outside["name"] == "public");
  CHECK(outside["address"] == "127.0.0.1:8009");
  CHECK(outside["tls"] == false);
  CHECK(outside["active"] == 12);
  CHECK(outside["total"] == 23);
  check_relayed(outside, {11, 1'100, 275, 33, 3'300, 3'410});
  CHECK(outside["ratio"] == 0.25);
  CHECK(outside["p99"].get<double>() == Approx(49.75e-6));
  const json& inside = status["listeners"][1];
  CHECK(inside["name"] == "127.0.0.1:8010");
  CHECK(inside["tls"] == true);
  CHECK(inside["active"] == 0);
  CHECK(inside["p99"].is_null());

  REQUIRE(status["routes"].size() == 2);
  const json& rest = status["routes"][0];
  CHECK(rest["name"] == "default");
  CHECK(rest["upstream"] == "ws://localhost:8008");
  CHECK(rest["active"] == 1);
  CHECK(rest["total"] == 2);
  check_relayed(rest, {1, 100, 25, 3, 300, 310});
  CHECK(rest["p50"].is_null());
  const json& chat = status["routes"][1];
  CHECK(chat["name"] == "chat");
  CHECK(chat["upstream"] == "ws://localhost:5678");
  CHECK(chat["active"] == 110);
  check_relayed(chat, {110, 11'000, 2'750, 330, 33'000, 34'100});
  CHECK(chat["p50"].get<double>() == Approx(175e-6));
}

TEST_CASE("what a reload removed is a row as long as somebody uses it") {
  auto report = report_of(two_by_two());
  report.counters.listeners["old"].active = 1;
  report.counters.listeners["older"].total[0] = 5;
  report.counters.traffic.cell({"old", "gone"}).active = 1;
  report.counters.traffic.cell({"old", "unused"}).total = 1;
  const json status = parsed(report);
  REQUIRE(status["listeners"].size() == 3);
  CHECK(status["listeners"][2]["name"] == "old");
  CHECK(status["listeners"][2]["address"] == "");
  REQUIRE(status["routes"].size() == 3);
  CHECK(status["routes"][2]["name"] == "gone");
  CHECK(status["routes"][2]["upstream"] == "");
}

TEST_CASE("a row of a connection has all its figures, and no text of a peer breaks the answer") {
  auto report = report_of();
  report.peers.as_of = kStart + 9s;
  report.peers.tables.open = 3;
  proxy::Peer peer;
  peer.weight = {400, 9, true};
  peer.client = "10.0.0.1:5555";
  peer.listener = "public";
  peer.route = "default";
  peer.path = "/\"</script><script>alert(1)\\\n\x01\xff\xc3";
  peer.since = kStart;
  peer.relayed = {relayed(1, 100, 50), relayed(2, 300, 310)};
  peer.queued = {5, 4};
  report.peers.tables.slowest.push_back(peer);
  CHECK(to_json(report).find('<') == std::string::npos);
  const json peers = parsed(report)["peers"];
  CHECK(peers["as_of"] == 1'700'000'009.5);
  CHECK(peers["open"] == 3);
  REQUIRE(peers["slowest"].size() == 1);
  const json& row = peers["slowest"][0];
  CHECK(row["client"] == "10.0.0.1:5555");
  CHECK(row["listener"] == "public");
  CHECK(row["route"] == "default");
  CHECK(row["path"] == "/\"</script><script>alert(1)\\\n\x01\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(row["since"] == 1'700'000'000.5);
  check_relayed(row, {1, 100, 50, 2, 300, 310});
  CHECK(row["ratio"] == 0.5);
  CHECK(row["queued_to_client"] == 5);
  CHECK(row["queued_to_app"] == 4);
  CHECK(row["paused"] == true);
}

TEST_CASE("samples of the history come as they are, and their last number is told") {
  auto report = report_of();
  server::StatusSample sample;
  sample.seq = 41;
  sample.time = kStart;
  sample.connections = 3;
  sample.rates = {{{1.5, 2.5, 3.5}, {4.5, 5.5, 6.5}}};
  sample.saved_bytes = -7.5;
  sample.compress_cpu = 0.25;
  sample.compression_memory_bytes = 8;
  report.samples.push_back(sample);
  sample.seq = 42;
  sample.latency = {1e-5, 2e-5};
  report.samples.push_back(sample);
  report.last_sample = 42;
  const json history = parsed(report)["history"];
  CHECK(history["seq"] == 42);
  REQUIRE(history["samples"].size() == 2);
  CHECK(history["samples"][0] == json{{"seq", 41},
                                      {"time", 1'700'000'000.5},
                                      {"connections", 3},
                                      {"messages_to_client", 1.5},
                                      {"messages_to_app", 4.5},
                                      {"wire_to_client", 3.5},
                                      {"wire_to_app", 6.5},
                                      {"payload_to_client", 2.5},
                                      {"payload_to_app", 5.5},
                                      {"saved", -7.5},
                                      {"compress_cpu", 0.25},
                                      {"memory", 8},
                                      {"p50", nullptr},
                                      {"p99", nullptr}});
  CHECK(history["samples"][1]["p99"] == 2e-5);
}
