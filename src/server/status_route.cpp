#include "base/ascii.hpp"
#include "server/server.hpp"

/// GET /status. On the side port's thread.
namespace wsproxy::server {

namespace {

/// Longer than a worker takes to look at 10,000 connections between its messages, and short enough for probes
/// that wait meanwhile.
constexpr auto kPeerPatience = std::chrono::milliseconds{300};

}  // namespace

SideAnswer Server::status(const SideRequest& request) {
  if (request.method == SideMethod::post) {
    return {.status = 405, .body = "method not allowed\n", .fields = {{"Allow", "GET, HEAD"}}};
  }
  const std::string_view since = query_value(request.query, "since");
  const std::optional<std::uint64_t> seq = since.empty() ? 0 : base::parse_decimal(since);
  if (!seq) return {.status = 400, .body = "since: a whole number, the history.seq of an answer before\n"};

  StatusReport report;
  if (!collect(report.counters)) return {.status = 503, .body = "a worker does not answer\n"};
  report.version = version_;
  report.time = std::chrono::system_clock::now();
  report.started = started_;
  report.state = drain_.state();
  report.drain = drain_.progress();
  report.open = connections();
  const SideAnswer ready = readiness();
  if (ready.status != 200) report.not_ready = ready.body.substr(0, ready.body.find('\n'));
  report.workers = workers_.size();
  report.log_level = telemetry::name_of(log_.level());
  report.config = keeper_.current();
  report.reloads = reload_count_.counters();
  report.certificates = tls_.certificates();
  StatusSampler::Past past = sampler_.past(*seq, report.counters.traffic);
  report.latency = std::move(past.latency);
  report.last_sample = past.last_sample;
  report.samples = std::move(past.samples);
  const net::Clock::time_point now = net::Clock::now();
  report.peers = peer_watch_->report(now, now + kPeerPatience);
  return {.content_type = "application/json", .body = to_json(report)};
}

}  // namespace wsproxy::server
