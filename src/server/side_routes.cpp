#include "config/dump.hpp"
#include "server/server.hpp"

/// What the side port answers (DESIGN section 8). On the side port's thread.
namespace wsproxy::server {

namespace {
constexpr auto kWorkerPatience = std::chrono::seconds{2};
}  // namespace

void Server::serve(const SideRequest& request, const SideReply& reply) {
  try {
    reply(answer(request));
  } catch (const std::exception& error) {
    log_.write(telemetry::Level::error, "the side port could not answer",
               {{"path", request.path}, {"reason", error.what()}});
    reply({.status = 500, .body = "internal error\n"});
  }
}

SideAnswer Server::answer(const SideRequest& request) {
  const std::string_view path = request.path;
  if (path == "/livez") return liveness();
  if (path == "/readyz" || path == "/healthz") return readiness();
  if (path == "/metrics") return metrics();
  if (path == "/config") return {.content_type = "application/yaml", .body = config::dump(*config_)};
  if (path == "/drain" || path == "/status") return {.status = 501, .body = "not supported yet\n"};
  if (path == "/") return {.body = "wsproxy " + version_ + ": /livez /readyz /healthz /metrics /config\n"};
  return {.status = 404, .body = "not found\n"};
}

SideAnswer Server::liveness() {
  telemetry::Counters sum;
  if (collect(sum)) return {.body = "ok\n"};
  return {.status = 503, .body = "a worker does not answer\n"};
}

SideAnswer Server::readiness() {
  if (state_ != State::serving) return {.status = 503, .body = "draining\n"};
  const std::string problem = app_check_.problem();
  if (!problem.empty()) return {.status = 503, .body = problem + "\n"};
  return {.body = "ok\n"};
}

SideAnswer Server::metrics() {
  telemetry::Snapshot snapshot;
  // Sums without one worker would look like counters that were reset.
  if (!collect(snapshot.counters)) return {.status = 503, .body = "a worker does not answer\n"};
  for (const config::Listener& listener : config_->listeners) {
    snapshot.listener_names.push_back(listener.label());
  }
  snapshot.version = version_;
  snapshot.draining = state_ != State::serving;
  snapshot.certificates = tls_.certificates();
  snapshot.reloads = tls_.reloads();
  snapshot.process = telemetry::read_process_metrics();
  return {.content_type = std::string{telemetry::kPrometheusContentType},
          .body = telemetry::render(snapshot)};
}

bool Server::collect(telemetry::Counters& sum) {
  sum.listeners.resize(config_->listeners.size());
  std::vector<std::future<telemetry::Counters>> parts;
  for (const auto& worker : workers_) parts.push_back(worker->counters());
  const auto deadline = net::Clock::now() + kWorkerPatience;
  bool all_answered = true;
  for (auto& part : parts) {
    if (part.wait_until(deadline) == std::future_status::ready) {
      sum += part.get();
    } else {
      all_answered = false;
    }
  }
  for (std::size_t i = 0; i < dropped_.size(); ++i) {
    const std::uint64_t dropped = dropped_[i].load(std::memory_order_relaxed);
    sum.listeners[i].total[static_cast<std::size_t>(telemetry::ConnectionResult::rejected)] += dropped;
    sum.rejected[static_cast<std::size_t>(telemetry::Rejection::max_connections)] += dropped;
  }
  return all_answered;
}

}  // namespace wsproxy::server
