#include <memory>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "base/ascii.hpp"
#include "config/dump.hpp"
#include "server/server.hpp"
#include "server/side_access.hpp"
#include "server/status_page.hpp"

/// What the side port answers (DESIGN section 8). On the side port's thread.
namespace wsproxy::server {

namespace {

constexpr auto kWorkerPatience = std::chrono::seconds{2};
/// Of the side port's places most stay for probes and scrapers.
constexpr std::size_t kMostWaitingForDrain = 16;
constexpr std::size_t kMostWaiting = 48;
/// Hooks of a pod's containers are called at once, as near as a kubelet comes to that.
constexpr auto kOtherHook = std::chrono::seconds{2};
constexpr auto kLookAgain = std::chrono::milliseconds{20};
const SideAnswer kTooMany{.status = 503, .body = "too many ask at the same time\n"};

const SideAnswer kForbidden{
    .status = 403,
    .body = "this may only be asked from this machine, by an address or as localhost (admin.drain)\n"};

SideAnswer not_allowed(std::string methods) {
  return {.status = 405, .body = "method not allowed\n", .fields = {{"Allow", std::move(methods)}}};
}

SideAnswer answer_of(const Drain::Outcome& outcome) {
  const double seconds = std::chrono::duration<double>(outcome.took).count();
  return {.body = fmt::format("drained: {} connections closed, {} cut, in {:.1f} s\n", outcome.closed,
                              outcome.cut, seconds)};
}

}  // namespace

void Server::serve(const SideRequest& request, const SideReply& reply) {
  answer_anyway(request.path, reply, [&] {
    if (request.path == "/drain") {
      drain(request, reply);
    } else if (request.path == "/drained") {
      drained(request, reply);
    } else if (request.path == "/readyz" || request.path == "/healthz") {
      readiness(request, reply);
    } else if (request.path == "/status") {
      status(request, reply);
    } else {
      reply(answer(request));
    }
  });
}

void Server::answer_anyway(std::string_view path, const SideReply& reply, const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& error) {
    log_.write(telemetry::Level::error, "the side port could not answer",
               {{"path", path}, {"reason", error.what()}});
    reply({.status = 500, .body = "internal error\n"});
  }
}

void Server::drain(const SideRequest& request, const SideReply& reply) {
  if (request.method == SideMethod::head) return reply(not_allowed("GET, POST"));
  if (!may_command(keeper_.current()->admin.drain, request, true)) return reply(kForbidden);
  if (request.waiting >= kMostWaitingForDrain) {
    boost::asio::post(io_, [this] { begin_drain(); });
    return reply({.status = 503, .body = "draining; enough are waiting for its end already\n"});
  }
  boost::asio::post(io_, [this, reply] {
    begin_drain();
    drain_.when_drained([reply](const Drain::Outcome& outcome) { reply(answer_of(outcome)); });
  });
}

/// For the hook of the app beside us, which must not begin a drain: a kubelet calls it for an app that is
/// restarted alone, too.
void Server::drained(const SideRequest& request, const SideReply& reply) {
  if (request.method != SideMethod::get) return reply(not_allowed("GET"));
  if (request.waiting >= kMostWaitingForDrain) return reply(kTooMany);
  boost::asio::post(io_, [this, reply] {
    await_drain(std::make_shared<net::Timer>(io_.get_executor()), net::Clock::now() + kOtherHook, reply);
  });
}

void Server::await_drain(const std::shared_ptr<net::Timer>& timer, net::Clock::time_point until,
                         const SideReply& reply) {
  if (drain_.state() != Drain::State::serving) {
    return drain_.when_drained([reply](const Drain::Outcome& outcome) { reply(answer_of(outcome)); });
  }
  if (net::Clock::now() >= until) return reply({.body = "not draining\n"});
  timer->expires_after(kLookAgain);
  timer->async_wait(
      [this, timer, until, reply](const net::error_code&) { await_drain(timer, until, reply); });
}

/// GET tells the level, POST sets it to what stands in the body or in ?level=.
SideAnswer Server::log_level(const SideRequest& request) {
  if (request.method == SideMethod::post) {
    if (!may_command(keeper_.current()->admin.drain, request, false)) return kForbidden;
    std::string_view asked = query_value(request.query, "level");
    if (asked.empty()) asked = request.body.substr(0, request.body.find_last_not_of("\r\n") + 1);
    const auto level = telemetry::level_of(base::trim(asked));
    if (!level) return {.status = 400, .body = "the levels are error, warning, info and debug\n"};
    set_log_level(*level, "side port");
  }
  return {.body = std::string{telemetry::name_of(log_.level())} + "\n"};
}

SideAnswer Server::answer(const SideRequest& request) {
  const std::string_view path = request.path;
  if (path == "/log-level") return log_level(request);
  if (request.method == SideMethod::post) return not_allowed("GET, HEAD");
  if (path == "/livez") return liveness();
  if (path == "/metrics") return metrics(request.accept);
  if (path == "/config")
    return {.content_type = "application/yaml", .body = config::dump(*keeper_.current())};
  if (path == "/") return page();
  return {.status = 404, .body = "not found\n"};
}

SideAnswer Server::page() {
  const std::string nonce = page_nonce();
  return {.content_type = "text/html; charset=utf-8",
          .body = status_page(nonce),
          .fields = {{"Content-Security-Policy", content_security_policy(nonce)}}};
}

SideAnswer Server::liveness() {
  telemetry::Counters sum;
  if (collect(sum)) return {.body = "ok\n"};
  return {.status = 503, .body = "a worker does not answer\n"};
}

void Server::readiness(const SideRequest& request, const SideReply& reply) {
  if (request.method == SideMethod::post) return reply(not_allowed("GET, HEAD"));
  if (request.waiting >= kMostWaiting) return reply(kTooMany);
  ask_ready([reply](const std::string& problem) {
    reply(problem.empty() ? SideAnswer{.body = "ok\n"} : SideAnswer{.status = 503, .body = problem + "\n"});
  });
}

void Server::ask_ready(AppCheck::OnAnswer call) {
  boost::asio::post(io_, [this, call = std::move(call)] {
    const std::string_view reason = reason_not_to_come(drain_.state());
    reason.empty() ? app_check_.ask(call) : call(std::string{reason});
  });
}

void Server::status(const SideRequest& request, const SideReply& reply) {
  if (request.method == SideMethod::post) return reply(not_allowed("GET, HEAD"));
  if (request.waiting >= kMostWaiting) return reply(kTooMany);
  const std::string_view asked = query_value(request.query, "since");
  const std::optional<std::uint64_t> since = asked.empty() ? 0 : base::parse_decimal(asked);
  if (!since) {
    return reply({.status = 400, .body = "since: a whole number, the history.seq of an answer before\n"});
  }
  ask_ready([this, reply, since = *since](const std::string& problem) {
    side_port_->post([this, reply, since, problem] {
      answer_anyway("/status", reply, [&] { reply(status(since, problem)); });
    });
  });
}

SideAnswer Server::metrics(std::string_view accept) {
  telemetry::Snapshot snapshot;
  // Sums without one worker would look like counters that were reset.
  if (!collect(snapshot.counters)) return {.status = 503, .body = "a worker does not answer\n"};
  snapshot.workers = workers_.size();
  snapshot.connections_limit = keeper_.current()->limits.max_connections;
  snapshot.log_lines_dropped = log_.dropped();
  snapshot.version = version_;
  snapshot.draining = drain_.state() != Drain::State::serving;
  snapshot.certificates = tls_.certificates();
  snapshot.reloads = reload_count_.counters();
  snapshot.process = telemetry::read_process_metrics();
  const auto format = telemetry::format_for(accept);
  return {.content_type = std::string{telemetry::content_type_of(format)},
          .body = telemetry::render(snapshot, format),
          .fields = {{"Vary", "Accept"}}};
}

bool Server::collect(telemetry::Counters& sum) {
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
  const std::lock_guard lock{dropped_mutex_};
  for (const auto& [name, dropped] : dropped_) {
    sum.listeners[name].total[static_cast<std::size_t>(telemetry::ConnectionResult::rejected)] += dropped;
    sum.rejected[static_cast<std::size_t>(telemetry::Rejection::max_connections)] += dropped;
  }
  return all_answered;
}

}  // namespace wsproxy::server
