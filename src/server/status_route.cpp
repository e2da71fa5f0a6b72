#include "server/server.hpp"

/// What GET /status tells. On the side port's thread.
namespace wsproxy::server {

namespace {

/// Longer than a worker takes to look at 10,000 connections between its messages, and short enough for probes
/// that wait meanwhile.
constexpr auto kPeerPatience = std::chrono::milliseconds{300};

}  // namespace

SideAnswer Server::status(std::uint64_t since, std::string not_ready) {
  StatusReport report;
  if (!collect(report.counters)) return {.status = 503, .body = "a worker does not answer\n"};
  report.version = version_;
  report.time = std::chrono::system_clock::now();
  report.started = started_;
  report.state = drain_.state();
  report.drain = drain_.progress();
  report.open = connections();
  // It may have begun since the app was asked.
  const std::string_view reason = reason_not_to_come(report.state);
  report.not_ready = reason.empty() ? std::move(not_ready) : std::string{reason};
  report.workers = workers_.size();
  report.log_level = telemetry::name_of(log_.level());
  report.config = keeper_.current();
  report.reloads = reload_count_.counters();
  report.certificates = tls_.certificates();
  StatusSampler::Past past = sampler_.past(since, report.counters.traffic);
  report.latency = std::move(past.latency);
  report.last_sample = past.last_sample;
  report.samples = std::move(past.samples);
  const net::Clock::time_point now = net::Clock::now();
  report.peers = peer_watch_->report(now, now + kPeerPatience);
  return {.content_type = "application/json", .body = to_json(report)};
}

}  // namespace wsproxy::server
