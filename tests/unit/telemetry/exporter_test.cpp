#include "telemetry/exporter.hpp"

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <unistd.h>

#include <catch2/catch.hpp>

using namespace wsproxy::telemetry;
using Catch::Matchers::Contains;

namespace {

Snapshot idle_snapshot() {
  Snapshot snapshot;
  snapshot.counters.listeners["public"] = {};
  snapshot.version = "0.1.0";
  return snapshot;
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

std::size_t count_lines_with(const std::string& text, const std::string& start) {
  std::istringstream lines(text);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) count += line.starts_with(start) ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("every series of a closed label set is there with 0 before anything happened") {
  const auto text = render(idle_snapshot());
  CHECK(count_lines_with(text, "wsproxy_connections_active{") == 1);
  CHECK(count_lines_with(text, "wsproxy_connections_total{") == kConnectionResults);
  CHECK(count_lines_with(text, "wsproxy_handshakes_total{") == kExtensionOutcomes);
  CHECK(count_lines_with(text, "wsproxy_tls_handshakes_total{") == 4);
  CHECK(count_lines_with(text, "wsproxy_tls_handshake_errors_total{") == kTlsFailureNames.size());
  CHECK(count_lines_with(text, "wsproxy_rejected_total{") == kRejections);
  CHECK(count_lines_with(text, "wsproxy_upstream_errors_total{") == kUpstreamErrors);
  CHECK(count_lines_with(text, "wsproxy_http_requests_total{") == kStatusClasses);
  CHECK(count_lines_with(text, "wsproxy_http_body_bytes_total{") == 2);
  CHECK(count_lines_with(text, "wsproxy_messages_total{") == 8);
  CHECK(count_lines_with(text, "wsproxy_payload_bytes_total{") == 2);
  CHECK(count_lines_with(text, "wsproxy_wire_bytes_total{") == 4);
  CHECK(count_lines_with(text, "wsproxy_closes_total{") == 2 * kCloseCodes.size());
  CHECK(count_lines_with(text, "wsproxy_backpressure_total{") == 2);
  CHECK(count_lines_with(text, "wsproxy_compression_seconds_total{") == 2);
  CHECK(count_lines_with(text, "wsproxy_compression_bypassed_total{") == kBypassNames.size());
  CHECK(count_lines_with(text, "wsproxy_compression_sacrifices_total{") == kSacrificeNames.size());
  CHECK(count_lines_with(text, "wsproxy_config_reloads_total{") == 2);
  CHECK(has_line(text, "wsproxy_draining 0"));
  CHECK(has_line(text, "wsproxy_build_info{version=\"0.1.0\"} 1"));
}

TEST_CASE("each count stands at its own labels") {
  auto snapshot = idle_snapshot();
  auto& c = snapshot.counters;
  c.listeners["public"].active = 3;
  c.listeners["public"].total[static_cast<std::size_t>(ConnectionResult::refused_by_app)] = 4;
  c.handshakes[static_cast<std::size_t>(ExtensionOutcome::declined)] = 5;
  c.rejected[static_cast<std::size_t>(Rejection::origin)] = 6;
  c.upstream_errors[static_cast<std::size_t>(UpstreamError::lost)] = 7;
  auto& to_app = c.traffic.cell({"public", "default"}).relayed[index(Direction::to_app)];
  to_app.messages[0][1] = 8;
  to_app.messages[1][0] = 9;
  to_app.payload_bytes = 10;
  to_app.wire_bytes[index(Side::client)] = 11;
  c.closes[index(Side::app)][close_code_index(1000)] = 12;
  c.closes[index(Side::client)][close_code_index(4711)] = 13;
  c.backpressure[index(Side::client)] = 14;
  c.compression_input_bytes = 15;
  c.compression_output_bytes = 16;
  c.compress_ns = 1'500'000'000;
  c.decompress_ns = 250'000'000;
  c.bypassed[0] = 17;
  c.compression_memory_bytes = 18;
  c.compression_level = 4;
  c.bypassed[5] = 26;
  c.compression_memory_limit_bytes = 27;
  c.compression_shared = 28;
  const std::array stages{"encoders_freed",   "frames_evicted",    "histories_asleep",
                          "histories_shrunk", "histories_dropped", "takeover_refused"};
  c.sacrifices = {30, 31, 32, 33, 34, 35};
  c.sacrifices[index(Sacrifice::histories_dropped)] = 36;
  c.http_requests[1] = 21;
  c.http_bytes[index(Direction::to_app)] = 22;
  c.listeners["public"].total[static_cast<std::size_t>(ConnectionResult::forwarded)] = 23;
  c.rejected[static_cast<std::size_t>(Rejection::not_implemented)] = 24;
  c.rejected[static_cast<std::size_t>(Rejection::rate)] = 25;
  c.rejected[static_cast<std::size_t>(Rejection::tls)] = 37;
  c.upstream_errors[static_cast<std::size_t>(UpstreamError::tls)] = 38;
  c.tls_handshakes = {{{39, 40}, {41, 42}}};
  c.tls_failures[index(TlsFailureReason::timeout)] = 43;
  c.tls_failures[index(TlsFailureReason::plain_http)] = 44;
  c.tls_failures[index(TlsFailureReason::other)] = 45;
  snapshot.connections_limit = 46;
  snapshot.workers = 48;
  snapshot.log_lines_dropped = 47;
  snapshot.draining = true;
  snapshot.reloads = {19, 20,
                      std::chrono::system_clock::time_point{std::chrono::milliseconds{1'700'000'000'500}}};

  const auto text = render(snapshot);
  CHECK(has_line(text, R"(wsproxy_connections_active{listener="public"} 3)"));
  CHECK(has_line(text, R"(wsproxy_connections_total{listener="public",result="refused_by_app"} 4)"));
  CHECK(has_line(text, R"(wsproxy_handshakes_total{extension="declined"} 5)"));
  CHECK(has_line(text, R"(wsproxy_rejected_total{reason="origin"} 6)"));
  CHECK(has_line(text, R"(wsproxy_upstream_errors_total{reason="lost"} 7)"));
  CHECK(has_line(text, R"(wsproxy_messages_total{direction="to_app",type="text",compressed="true"} 8)"));
  CHECK(has_line(text, R"(wsproxy_messages_total{direction="to_app",type="binary",compressed="false"} 9)"));
  CHECK(has_line(text, R"(wsproxy_payload_bytes_total{direction="to_app"} 10)"));
  CHECK(has_line(text, R"(wsproxy_wire_bytes_total{direction="to_app",side="client"} 11)"));
  CHECK(has_line(text, R"(wsproxy_closes_total{side="app",code="1000"} 12)"));
  CHECK(has_line(text, R"(wsproxy_closes_total{side="client",code="other"} 13)"));
  CHECK(has_line(text, R"(wsproxy_backpressure_total{side="client"} 14)"));
  CHECK(has_line(text, "wsproxy_compression_input_bytes_total 15"));
  CHECK(has_line(text, "wsproxy_compression_output_bytes_total 16"));
  CHECK(has_line(text, R"(wsproxy_compression_seconds_total{operation="compress"} 1.5)"));
  CHECK(has_line(text, R"(wsproxy_compression_seconds_total{operation="decompress"} 0.25)"));
  CHECK(has_line(text, R"(wsproxy_compression_bypassed_total{reason="too_small"} 17)"));
  CHECK(has_line(text, "wsproxy_compression_memory_bytes 18"));
  CHECK(has_line(text, "wsproxy_compression_level 4"));
  CHECK(has_line(text, R"(wsproxy_compression_bypassed_total{reason="memory"} 26)"));
  CHECK(has_line(text, "wsproxy_compression_memory_limit_bytes 27"));
  CHECK(has_line(text, "wsproxy_compression_shared_total 28"));
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const auto count = i == 4 ? 36 : 30 + i;
    CHECK(has_line(text, "wsproxy_compression_sacrifices_total{stage=\"" + std::string{stages[i]} + "\"} " +
                             std::to_string(count)));
  }
  CHECK(has_line(text, R"(wsproxy_http_requests_total{code="2xx"} 21)"));
  CHECK(has_line(text, R"(wsproxy_http_body_bytes_total{direction="to_app"} 22)"));
  CHECK(has_line(text, R"(wsproxy_connections_total{listener="public",result="forwarded"} 23)"));
  CHECK(has_line(text, R"(wsproxy_rejected_total{reason="not_implemented"} 24)"));
  CHECK(has_line(text, R"(wsproxy_rejected_total{reason="rate"} 25)"));
  CHECK(has_line(text, R"(wsproxy_rejected_total{reason="tls"} 37)"));
  CHECK(has_line(text, R"(wsproxy_upstream_errors_total{reason="tls"} 38)"));
  CHECK(has_line(text, R"(wsproxy_tls_handshakes_total{version="1.2",resumed="false"} 39)"));
  CHECK(has_line(text, R"(wsproxy_tls_handshakes_total{version="1.2",resumed="true"} 40)"));
  CHECK(has_line(text, R"(wsproxy_tls_handshakes_total{version="1.3",resumed="false"} 41)"));
  CHECK(has_line(text, R"(wsproxy_tls_handshakes_total{version="1.3",resumed="true"} 42)"));
  CHECK(has_line(text, R"(wsproxy_tls_handshake_errors_total{reason="timeout"} 43)"));
  CHECK(has_line(text, R"(wsproxy_tls_handshake_errors_total{reason="plain_http"} 44)"));
  CHECK(has_line(text, R"(wsproxy_tls_handshake_errors_total{reason="other"} 45)"));
  CHECK(has_line(text, "wsproxy_connections_limit 46"));
  CHECK(has_line(text, "wsproxy_log_lines_dropped_total 47"));
  CHECK(has_line(text, "wsproxy_workers 48"));
  CHECK(has_line(text, "wsproxy_draining 1"));
  CHECK(has_line(text, R"(wsproxy_config_reloads_total{result="success"} 19)"));
  CHECK(has_line(text, R"(wsproxy_config_reloads_total{result="failure"} 20)"));
  CHECK(has_line(text, "wsproxy_config_last_reload_success_timestamp_seconds 1700000000.5"));
}

TEST_CASE("histograms are cumulative, in seconds or bytes, and end in +Inf") {
  auto snapshot = idle_snapshot();
  // Of two routes: a total has them all.
  auto& traffic = snapshot.counters.traffic;
  traffic.cell({"public", "chat"}).relay_ns[index(Direction::to_client)].observe(20'000, 2);
  auto& relay = traffic.cell({"public", "default"}).relay_ns[index(Direction::to_client)];
  relay.observe(9'000);
  relay.observe(2'000'000'000);
  snapshot.counters.message_bytes.observe(100);
  snapshot.counters.handshake_ns.observe(2'000'000);
  snapshot.counters.connection_seconds.observe(61);
  snapshot.counters.http_request_ns.observe(20'000'000'000);

  const auto text = render(snapshot);
  CHECK(has_line(text, R"(wsproxy_relay_seconds_bucket{direction="to_client",le="1e-05"} 1)"));
  CHECK(has_line(text, R"(wsproxy_relay_seconds_bucket{direction="to_client",le="2.5e-05"} 3)"));
  CHECK(has_line(text, R"(wsproxy_relay_seconds_bucket{direction="to_client",le="0.00025"} 3)"));
  CHECK(has_line(text, R"(wsproxy_relay_seconds_bucket{direction="to_client",le="1"} 3)"));
  CHECK(has_line(text, R"(wsproxy_relay_seconds_bucket{direction="to_client",le="+Inf"} 4)"));
  CHECK(has_line(text, R"(wsproxy_relay_seconds_count{direction="to_client"} 4)"));
  CHECK(has_line(text, R"(wsproxy_relay_seconds_sum{direction="to_client"} 2.000049)"));
  CHECK(has_line(text, R"(wsproxy_message_size_bytes_bucket{le="64"} 0)"));
  CHECK(has_line(text, R"(wsproxy_message_size_bytes_bucket{le="256"} 1)"));
  CHECK(has_line(text, R"(wsproxy_handshake_seconds_bucket{le="0.0025"} 1)"));
  CHECK(has_line(text, R"(wsproxy_connection_duration_seconds_bucket{le="300"} 1)"));
  CHECK(has_line(text, "wsproxy_connection_duration_seconds_sum 61"));
  CHECK(has_line(text, R"(wsproxy_http_request_seconds_bucket{le="15"} 0)"));
  CHECK(has_line(text, R"(wsproxy_http_request_seconds_bucket{le="60"} 1)"));
  CHECK(has_line(text, "wsproxy_http_request_seconds_sum 20"));
}

TEST_CASE("a listener's name cannot break out of its label") {
  auto snapshot = idle_snapshot();
  snapshot.counters.listeners["a\"b\\c\nd"] = {};
  CHECK_THAT(render(snapshot), Contains(R"(wsproxy_connections_active{listener="a\"b\\c\nd"} 0)"));
}

TEST_CASE("certificates tell when they expire, and without any there is no such family") {
  const std::string name = "wsproxy_tls_certificate_expiry_timestamp_seconds";
  auto snapshot = idle_snapshot();
  CHECK(render(snapshot).find(name) == std::string::npos);

  const auto at = [](int seconds) {
    return std::chrono::system_clock::time_point{std::chrono::seconds{seconds}};
  };
  snapshot.certificates = {{"public", "/tls/a.crt", at(2'000'000'001)},
                           {"public", "/tls/\"b\".crt", at(2'000'000'002)},
                           {"inner", "/tls/a.crt", at(2'000'000'001)}};
  const auto text = render(snapshot);
  CHECK(count_lines_with(text, name + "{") == 3);
  CHECK(has_line(text, name + R"({listener="public",certificate="/tls/a.crt"} 2000000001)"));
  CHECK(has_line(text, name + R"({listener="public",certificate="/tls/\"b\".crt"} 2000000002)"));
  CHECK(has_line(text, name + R"({listener="inner",certificate="/tls/a.crt"} 2000000001)"));
}

TEST_CASE("a certificate that a listener names twice is one series") {
  auto snapshot = idle_snapshot();
  snapshot.certificates = {{"public", "a.crt", {}}, {"public", "a.crt", {}}};
  CHECK(count_lines_with(render(snapshot), "wsproxy_tls_certificate_expiry_timestamp_seconds{") == 1);
}

TEST_CASE("a fact of the process that could not be read is left out") {
  auto snapshot = idle_snapshot();
  snapshot.process.open_fds = 12;
  snapshot.process.cpu_seconds = 0.25;
  const auto text = render(snapshot);
  CHECK(has_line(text, "process_open_fds 12"));
  CHECK(has_line(text, "process_cpu_seconds_total 0.25"));
  CHECK(text.find("process_max_fds") == std::string::npos);
}

TEST_CASE("promtool finds nothing to say about the metrics") {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) {
    WARN("promtool is not on PATH: the metrics were not checked by it");
    return;
  }
  auto snapshot = idle_snapshot();
  snapshot.counters.listeners["a \"quoted\" one"] = {};
  snapshot.certificates = {{"public", "a.crt", std::chrono::system_clock::now()}};
  snapshot.process = read_process_metrics();
  std::string path = "/tmp/wsproxy-promtool-XXXXXX";
  const int fd = mkstemp(path.data());
  REQUIRE(fd >= 0);
  close(fd);
  FILE* promtool = popen(("promtool check metrics >" + path + " 2>&1").c_str(), "w");
  REQUIRE(promtool != nullptr);
  const auto text = render(snapshot);
  CHECK(fwrite(text.data(), 1, text.size(), promtool) == text.size());
  CHECK(pclose(promtool) == 0);

  FILE* said = fopen(path.c_str(), "r");
  REQUIRE(said != nullptr);
  std::string complaint(4096, '\0');
  complaint.resize(fread(complaint.data(), 1, complaint.size(), said));
  fclose(said);
  unlink(path.c_str());
  CHECK(complaint == "");
}
