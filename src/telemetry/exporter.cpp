#include "telemetry/exporter.hpp"

#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include <prometheus/text_serializer.h>

#include "telemetry/label_names.hpp"
#include "telemetry/metric_family.hpp"
#include "telemetry/open_metrics.hpp"

namespace wsproxy::telemetry {
namespace {

using prometheus::MetricType;
using Families = std::vector<prometheus::MetricFamily>;

constexpr double kNanosecondsPerSecond = 1e9;

void add_connections(Families& out, const Snapshot& snapshot) {
  auto active = make_family(MetricType::Gauge, "wsproxy_connections_active", "Client connections open now.");
  auto total = make_family(MetricType::Counter, "wsproxy_connections_total",
                           "Accepted client connections by what became of their handshake.");
  for (const auto& [name, listener] : snapshot.counters.listeners) {
    add_gauge(active, {{"listener", name}}, static_cast<double>(listener.active));
    for (std::size_t i = 0; i < kConnectionResults; ++i) {
      add_counter(total, {{"listener", name}, {"result", kResultNames[i]}}, as_number(listener.total[i]));
    }
  }
  out.push_back(std::move(active));
  out.push_back(make_gauge("wsproxy_connections_limit", "How many client connections may be open.",
                           as_number(snapshot.connections_limit)));
  out.push_back(std::move(total));

  auto duration = make_family(MetricType::Histogram, "wsproxy_connection_duration_seconds",
                              "How long client connections lasted, counted when they end.");
  add_histogram(duration, {}, snapshot.counters.connection_seconds, 1);
  out.push_back(std::move(duration));
}

void add_handshakes(Families& out, const Counters& counters) {
  out.push_back(make_labelled("wsproxy_handshakes_total",
                              "Handshakes answered with 101 by what became of permessage-deflate.",
                              "extension", kExtensionNames, counters.handshakes));
  auto seconds = make_family(MetricType::Histogram, "wsproxy_handshake_seconds",
                             "Time from accepting a connection to the answer 101.");
  add_histogram(seconds, {}, counters.handshake_ns, kNanosecondsPerSecond);
  out.push_back(std::move(seconds));
  out.push_back(make_labelled("wsproxy_rejected_total", "Requests that the proxy itself refused.", "reason",
                              kRejectionNames, counters.rejected));
  out.push_back(make_labelled("wsproxy_upstream_errors_total", "What went wrong with the application.",
                              "reason", kUpstreamErrorNames, counters.upstream_errors));
}

void add_tls(Families& out, const Snapshot& snapshot) {
  auto done = make_family(MetricType::Counter, "wsproxy_tls_handshakes_total",
                          "TLS handshakes with clients, by version and whether they resumed a session.");
  for (std::size_t version = 0; version < kTlsVersionNames.size(); ++version) {
    for (std::size_t resumed = 0; resumed < kBoolNames.size(); ++resumed) {
      add_counter(done, {{"version", kTlsVersionNames[version]}, {"resumed", kBoolNames[resumed]}},
                  as_number(snapshot.counters.tls_handshakes[version][resumed]));
    }
  }
  out.push_back(std::move(done));
  out.push_back(make_labelled("wsproxy_tls_handshake_errors_total",
                              "TLS handshakes with clients that failed.", "reason", kTlsFailureNames,
                              snapshot.counters.tls_failures));
  if (snapshot.certificates.empty()) return;
  auto expiry = make_family(MetricType::Gauge, "wsproxy_tls_certificate_expiry_timestamp_seconds",
                            "When the certificates in use expire, since the epoch.");
  // A listener may name the same file twice; a scrape with the same series twice is refused as a whole.
  std::map<std::pair<std::string, std::string>, double> times;
  for (const CertificateExpiry& one : snapshot.certificates) {
    const std::chrono::duration<double> time = one.not_after.time_since_epoch();
    times.emplace(std::pair{one.listener, one.file}, time.count());
  }
  for (const auto& [labels, time] : times) {
    add_gauge(expiry, {{"listener", labels.first}, {"certificate", labels.second}}, time);
  }
  out.push_back(std::move(expiry));
}

void add_http(Families& out, const Counters& counters) {
  out.push_back(
      make_labelled("wsproxy_http_requests_total",
                    "Plain HTTP requests passed on, by the class of the status the client was answered.",
                    "code", kClassNames, counters.http_requests));
  out.push_back(make_labelled("wsproxy_http_body_bytes_total",
                              "Bodies of plain HTTP requests and answers, without their chunked framing.",
                              "direction", kDirectionNames, counters.http_bytes));
  auto seconds = make_family(MetricType::Histogram, "wsproxy_http_request_seconds",
                             "Time from a plain HTTP request to the end of its answer.");
  add_histogram(seconds, {}, counters.http_request_ns, kNanosecondsPerSecond);
  out.push_back(std::move(seconds));
}

void add_messages(Families& out, const Traffic& traffic) {
  auto messages = make_family(MetricType::Counter, "wsproxy_messages_total",
                              "Messages relayed, by whether they were compressed on the client's wire.");
  auto payload = make_family(MetricType::Counter, "wsproxy_payload_bytes_total",
                             "Payload of the messages relayed, uncompressed.");
  auto wire = make_family(MetricType::Counter, "wsproxy_wire_bytes_total",
                          "Bytes read from or written to the sockets of each side, frame headers included.");
  for (std::size_t d = 0; d < kDirections; ++d) {
    const DirectionCounters& relayed = traffic.relayed[d];
    const prometheus::ClientMetric::Label direction{"direction", kDirectionNames[d]};
    for (std::size_t type = 0; type < kTypeNames.size(); ++type) {
      for (std::size_t compressed = 0; compressed < kBoolNames.size(); ++compressed) {
        add_counter(messages, {direction, {"type", kTypeNames[type]}, {"compressed", kBoolNames[compressed]}},
                    as_number(relayed.messages[type][compressed]));
      }
    }
    add_counter(payload, {direction}, as_number(relayed.payload_bytes));
    for (std::size_t side = 0; side < kSides; ++side) {
      add_counter(wire, {direction, {"side", kSideNames[side]}}, as_number(relayed.wire_bytes[side]));
    }
  }
  out.push_back(std::move(messages));
  out.push_back(std::move(payload));
  out.push_back(std::move(wire));
}

void add_message_histograms(Families& out, const Counters& counters, const Traffic& traffic) {
  auto size = make_family(MetricType::Histogram, "wsproxy_message_size_bytes",
                          "Payload of one message, uncompressed, both directions.");
  add_histogram(size, {}, counters.message_bytes, 1);
  out.push_back(std::move(size));

  auto relay = make_family(MetricType::Histogram, "wsproxy_relay_seconds",
                           "Time from reading a message to handing it to the other socket.");
  for (std::size_t d = 0; d < kDirections; ++d) {
    add_histogram(relay, {{"direction", kDirectionNames[d]}}, traffic.relay_ns[d], kNanosecondsPerSecond);
  }
  out.push_back(std::move(relay));
}

void add_compression(Families& out, const Counters& counters) {
  out.push_back(make_counter("wsproxy_compression_input_bytes_total", "Payload given to the compressor.",
                             as_number(counters.compression_input_bytes)));
  out.push_back(make_counter("wsproxy_compression_output_bytes_total", "What the compressor made of it.",
                             as_number(counters.compression_output_bytes)));
  auto seconds = make_family(MetricType::Counter, "wsproxy_compression_seconds_total",
                             "Time spent compressing and decompressing.");
  add_counter(seconds, {{"operation", "compress"}}, as_number(counters.compress_ns) / kNanosecondsPerSecond);
  add_counter(seconds, {{"operation", "decompress"}},
              as_number(counters.decompress_ns) / kNanosecondsPerSecond);
  out.push_back(std::move(seconds));
  out.push_back(make_labelled("wsproxy_compression_bypassed_total",
                              "Messages sent uncompressed to clients that had agreed to compression.",
                              "reason", kBypassNames, counters.bypassed));
  out.push_back(make_counter("wsproxy_compression_shared_total",
                             "Messages answered with bytes that were compressed for another connection.",
                             as_number(counters.compression_shared)));
  out.push_back(make_gauge("wsproxy_compression_memory_bytes",
                           "Memory of live encoders, histories and cached frames.",
                           as_number(counters.compression_memory_bytes)));
  out.push_back(make_gauge("wsproxy_compression_memory_limit_bytes", "What that memory may be at most.",
                           as_number(counters.compression_memory_limit_bytes)));
  out.push_back(make_labelled("wsproxy_compression_sacrifices_total",
                              "What was given up to keep that memory under its limit.", "stage",
                              kSacrificeNames, counters.sacrifices));
  out.push_back(make_gauge("wsproxy_compression_level",
                           "The lowest level in force: as configured, or less while the CPU is short.",
                           as_number(counters.compression_level)));
}

void add_observed(Families& out, const ObservedCounters& observed) {
  auto messages = make_family(MetricType::Counter, "wsproxy_observed_messages_total",
                              "Messages compressed for a trial and thrown away.");
  auto input = make_family(MetricType::Counter, "wsproxy_observed_input_bytes_total", "Their payload.");
  auto output = make_family(MetricType::Counter, "wsproxy_observed_output_bytes_total",
                            "What would have been sent of it.");
  auto seconds = make_family(MetricType::Counter, "wsproxy_observed_compression_seconds_total",
                             "Time that compressing them took.");
  for (std::size_t i = 0; i < kTrialNames.size(); ++i) {
    const TrialCounters& trial = observed.trials[i];
    const prometheus::ClientMetric::Label label{"trial", kTrialNames[i]};
    add_counter(messages, {label}, as_number(trial.messages));
    add_counter(input, {label}, as_number(trial.input_bytes));
    add_counter(output, {label}, as_number(trial.output_bytes));
    add_counter(seconds, {label}, as_number(trial.compress_ns) / kNanosecondsPerSecond);
  }
  for (auto* family : {&messages, &input, &output, &seconds}) out.push_back(std::move(*family));
  out.push_back(make_labelled("wsproxy_observed_bypassed_total",
                              "Trials that would have sent the message raw.", "reason", kBypassNames,
                              observed.bypassed));
  out.push_back(make_counter("wsproxy_observed_seen_messages_total",
                             "Messages to clients that the trials stand for.",
                             as_number(observed.seen_messages)));
  out.push_back(
      make_counter("wsproxy_observed_seen_bytes_total", "Their payload.", as_number(observed.seen_bytes)));
  out.push_back(make_counter("wsproxy_observed_broadcast_total",
                             "Of them those that another connection of the worker had lately too.",
                             as_number(observed.broadcasts)));
  out.push_back(make_counter("wsproxy_observing_seconds_total", "Time that all trials took.",
                             as_number(observed.spent_ns) / kNanosecondsPerSecond));
}

void add_closes(Families& out, const Counters& counters) {
  auto closes = make_family(MetricType::Counter, "wsproxy_closes_total",
                            "WebSocket connections that ended, by the close code on each side.");
  for (std::size_t side = 0; side < kSides; ++side) {
    for (std::size_t i = 0; i < kCloseCodes.size(); ++i) {
      const bool is_other = i + 1 == kCloseCodes.size();
      add_counter(closes,
                  {{"side", kSideNames[side]}, {"code", is_other ? "other" : std::to_string(kCloseCodes[i])}},
                  as_number(counters.closes[side][i]));
    }
  }
  out.push_back(std::move(closes));
  out.push_back(make_labelled("wsproxy_backpressure_total",
                              "Times reading stopped because this side did not read.", "side", kSideNames,
                              counters.backpressure));
}

void add_operations(Families& out, const Snapshot& snapshot) {
  out.push_back(
      make_gauge("wsproxy_draining", "1 while the proxy drains, else 0.", snapshot.draining ? 1 : 0));
  out.push_back(make_labelled<2>(
      "wsproxy_config_reloads_total", "Times the configuration or its TLS files were read again.", "result",
      {"success", "failure"}, {snapshot.reloads.succeeded, snapshot.reloads.failed}));
  const std::chrono::duration<double> last_success = snapshot.reloads.last_success.time_since_epoch();
  out.push_back(make_gauge("wsproxy_config_last_reload_success_timestamp_seconds",
                           "When the configuration or its TLS files were last read without an error.",
                           last_success.count()));
  out.push_back(make_counter("wsproxy_log_lines_dropped_total",
                             "Log lines given up since their reader was too slow.",
                             as_number(snapshot.log_lines_dropped)));
  out.push_back(make_gauge("wsproxy_workers", "Threads that relay.", as_number(snapshot.workers)));
  auto build = make_family(MetricType::Gauge, "wsproxy_build_info", "Always 1; the labels say what runs.");
  add_gauge(build, {{"version", snapshot.version}}, 1);
  out.push_back(std::move(build));
}

void add_process(Families& out, const ProcessMetrics& process) {
  const auto gauge = [&out](const char* name, const char* help, auto value) {
    if (value) out.push_back(make_gauge(name, help, static_cast<double>(*value)));
  };
  if (process.cpu_seconds) {
    out.push_back(
        make_counter("process_cpu_seconds_total", "User and system CPU time spent.", *process.cpu_seconds));
  }
  gauge("process_resident_memory_bytes", "Resident memory size.", process.resident_bytes);
  gauge("process_virtual_memory_bytes", "Virtual memory size.", process.virtual_bytes);
  gauge("process_virtual_memory_max_bytes", "Limit of virtual memory.", process.max_virtual_bytes);
  gauge("process_open_fds", "Open file descriptors.", process.open_fds);
  gauge("process_max_fds", "Limit of open file descriptors.", process.max_fds);
  gauge("process_threads", "Threads of the process.", process.threads);
  gauge("process_start_time_seconds", "When the process started, since the epoch.",
        process.start_time_seconds);
}

}  // namespace

std::string render(const Snapshot& snapshot, MetricsFormat format) {
  Families families;
  add_connections(families, snapshot);
  add_handshakes(families, snapshot.counters);
  add_tls(families, snapshot);
  add_http(families, snapshot.counters);
  const Traffic traffic = snapshot.counters.traffic.sum();
  add_messages(families, traffic);
  add_message_histograms(families, snapshot.counters, traffic);
  add_compression(families, snapshot.counters);
  add_observed(families, snapshot.counters.observed);
  add_closes(families, snapshot.counters);
  add_operations(families, snapshot);
  add_process(families, snapshot.process);

  if (format == MetricsFormat::open_metrics) return write_open_metrics(families);
  std::ostringstream text;
  prometheus::TextSerializer{}.Serialize(text, families);
  return std::move(text).str();
}

}  // namespace wsproxy::telemetry
