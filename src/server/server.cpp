#include "server/server.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "server/cpu_quota.hpp"
#include "server/log_level.hpp"

namespace wsproxy::server {

using telemetry::Level;

namespace {

constexpr auto kAnswerTime = std::chrono::seconds{1};
constexpr auto kHousekeeping = std::chrono::seconds{1};
/// Over limits.max_connections a client still gets a 503, unless that many are being told so already.
constexpr std::size_t kRefusedAtOnce = 256;
constexpr auto kBetweenDropLines = std::chrono::seconds{1};

}  // namespace

Server::Server(const std::shared_ptr<const config::Config>& config, ConfigSource source, telemetry::Log& log,
               std::string version)
    : log_(log),
      version_(std::move(version)),
      signals_(io_, SIGTERM, SIGINT),
      keeper_(io_, config, std::move(source), log_, reload_count_),
      tls_(io_, config, log_, reload_count_),
      app_check_(io_, apps_of(*config)),
      quota_(config->limits),
      settings_(std::make_shared<const proxy::Settings>(config, tls_.setup(), quota_)),
      drain_(io_, log_, drain_actions()),
      sampler_(io_),
      listeners_(io_, log_, [this](net::AcceptedSocket socket, std::size_t listener) {
        on_accept(std::move(socket), listener);
      }) {
  signals_.add(SIGHUP);
  signals_.add(SIGUSR1);
  listeners_.change(config->listeners);
  start_workers();
  start_watching();
  start_side_port();
  tls_.start([this](const net::TlsSetup&) { use_settings(); });
  keeper_.start([this](const ConfigKeeper::ConfigPtr& next) { adopt(next); });
  listeners_.start();
  wait_for_signals();
  keep_house();
  log_.write(Level::info, "serving",
             {{"version", version_},
              {"workers", std::uint64_t{workers_.size()}},
              {"upstream", this->config().upstream.url.text()},
              {"admin", net::text({config->admin.address.host, side_port_->port(), {}})}});
}

Server::~Server() {
  side_port_.reset();
  listeners_.stop();
  workers_.clear();
}

void Server::start_watching() {
  std::vector<StatusSampler::Source> counters;
  std::vector<PeerWatch::Source> peers;
  for (const auto& worker : workers_) {
    counters.emplace_back(
        [&worker = *worker](StatusSampler::Take take) { worker.ask_counters(std::move(take)); });
    peers.emplace_back([&worker = *worker] { return worker.survey(); });
  }
  sampler_.start(std::move(counters));
  peer_watch_ = std::make_unique<PeerWatch>(std::move(peers));
}

void Server::start_workers() {
  const std::uint32_t count = config().workers != 0 ? config().workers : automatic_workers();
  for (std::uint32_t i = 0; i < count; ++i) {
    workers_.push_back(
        std::make_unique<Worker>(settings_, log_, quota_, config().compression.memory / count));
  }
}

void Server::start_side_port() {
  // After the workers: its handler asks them from the first request on.
  const config::Address& address = config().admin.address;
  side_port_ = std::make_unique<SidePort>(
      address.host, address.port,
      [this](const SideRequest& request, const SideReply& reply) { serve(request, reply); });
}

void Server::run() {
  while (!has_stopped_) {
    try {
      io_.run();
    } catch (const std::exception& error) {
      // Out of memory while one connection came, which it took along; all others go on.
      log_.write(Level::error, "unexpected error on the main thread", {{"reason", error.what()}});
    }
  }
}

void Server::on_accept(net::AcceptedSocket socket, std::size_t listener) {
  std::size_t refused = 0;
  for (const auto& worker : workers_) refused += worker->refused();
  // Both are read while sessions go: one that has gone in between may be in the first sum alone.
  const std::size_t open = connections();
  const std::size_t limit = config().limits.max_connections;
  const bool is_over_limit = open >= refused && open - refused >= limit;
  // Those who linger after their answer hold descriptors, if no places.
  const std::size_t most = kRefusedAtOnce + (is_over_limit ? 0 : limit);
  if (refused >= most) {
    drop(listener);
    return;
  }
  const auto least = std::ranges::min_element(
      workers_, [](const auto& a, const auto& b) { return a->connections() < b->connections(); });
  (*least)->hand_over(std::move(socket), listener, is_over_limit);
}

void Server::drop(std::size_t listener) {
  const std::string name = config().listeners[listener].label();
  {
    const std::lock_guard lock{dropped_mutex_};
    ++dropped_[name];
  }
  const auto now = net::Clock::now();
  if (now < next_drop_line_) return;
  next_drop_line_ = now + kBetweenDropLines;
  log_.write(Level::warning, "too many connections at once: dropping some without an answer",
             {{"listener", name}, {"limit", std::uint64_t{config().limits.max_connections}}});
}

std::size_t Server::connections() const {
  std::size_t sum = 0;
  for (const auto& worker : workers_) sum += worker->connections();
  return sum;
}

void Server::wait_for_signals() {
  signals_.async_wait(for_signals_.bind([this](const net::error_code& error, int number) {
    if (error) return;
    wait_for_signals();
    on_signal(number);
  }));
}

void Server::on_signal(int number) {
  if (number == SIGHUP) return reload();
  if (number == SIGUSR1) return set_log_level(telemetry::next_level(log_.level()), "SIGUSR1");
  if (std::exchange(is_exiting_, true)) {
    log_.write(Level::warning, "second signal: stopping at once",
               {{"connections", std::uint64_t{connections()}}});
    return stop();
  }
  begin_drain();
  drain_.when_drained([this](const Drain::Outcome&) { stop(); });
}

void Server::reload() {
  if (keeper_.has_file()) keeper_.reload();
  if (tls_.is_used()) tls_.reload();
}

void Server::adopt(const std::shared_ptr<const config::Config>& next) {
  if (drain_.state() != Drain::State::serving) throw std::runtime_error("the proxy is draining");
  TlsKeeper::Read tls = tls_.read(*next);
  // The last that can fail. Who comes on what is closed by it still goes by the settings before.
  listeners_.change(next->listeners);
  tls_.adopt(next, std::move(tls));
  const auto before = settings_->config;
  quota_.set_limits(next->limits);
  settings_ = std::make_shared<const proxy::Settings>(next, tls_.setup(), quota_);
  for (const auto& worker : workers_) worker->use(settings_);
  app_check_.set_apps(apps_of(*next));
  // What was set by hand stays, unless the file says something else than before.
  if (next->log.level != before->log.level) set_log_level(level_of(next->log.level), "configuration");
}

void Server::set_log_level(Level level, std::string_view by) {
  const Level before = log_.level();
  if (level == before) return;
  const auto tell = [&] {
    log_.write(Level::warning, "log level changed",
               {{"before", telemetry::name_of(before)}, {"after", telemetry::name_of(level)}, {"by", by}});
  };
  // By whichever of the two still lets the line through.
  if (level < before) tell();
  log_.set_level(level);
  if (level > before) tell();
}

void Server::keep_house() {
  house_timer_.expires_after(kHousekeeping);
  house_timer_.async_wait(for_house_.bind([this](const net::error_code& error) {
    if (!error) keep_house();
  }));
  log_.keep_house();
}

void Server::use_settings() {
  settings_ = std::make_shared<const proxy::Settings>(settings_->config, tls_.setup(), quota_);
  for (const auto& worker : workers_) worker->use(settings_);
}

Drain::Actions Server::drain_actions() {
  return {.connections = [this] { return connections(); },
          .stop_accepting = [this] { listeners_.finish(); },
          .close_connections =
              [this](net::Clock::duration spread, net::Clock::time_point latest) {
                for (const auto& worker : workers_) worker->drain(spread, latest);
              },
          .cut_connections =
              [this] {
                for (const auto& worker : workers_) worker->cut_all("drain.timeout is over");
              }};
}

void Server::begin_drain() {
  drain_.begin(config().drain, std::min<net::Clock::duration>(config().timeouts.close, kAnswerTime));
}

void Server::stop() {
  has_stopped_ = true;
  drain_.cancel();
  keeper_.stop();
  tls_.stop();
  sampler_.stop();
  signals_.cancel();
  listeners_.stop();
  io_.stop();
}

}  // namespace wsproxy::server
