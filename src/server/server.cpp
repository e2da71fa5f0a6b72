#include "server/server.hpp"

#include <algorithm>
#include <csignal>

#include "server/cpu_quota.hpp"

namespace wsproxy::server {

using telemetry::Level;

namespace {

constexpr auto kAnswerTime = std::chrono::seconds{1};
constexpr auto kPollGone = std::chrono::milliseconds{20};
/// Over limits.max_connections a client still gets a 503, unless that many are being told so already.
constexpr std::size_t kRefusedAtOnce = 256;
constexpr auto kBetweenDropLines = std::chrono::seconds{1};

}  // namespace

Server::Server(std::shared_ptr<const config::Config> config, telemetry::Log& log, std::string version)
    : config_(std::move(config)),
      log_(log),
      version_(std::move(version)),
      signals_(io_, SIGTERM, SIGINT, SIGHUP),
      drain_timer_(io_.get_executor()),
      tls_(io_, *config_, log_),
      app_check_(io_, apps_of(*config_)),
      quota_(*config_),
      dropped_(config_->listeners.size()) {
  open_listeners();
  const std::uint32_t count = config_->workers != 0 ? config_->workers : automatic_workers();
  for (std::uint32_t i = 0; i < count; ++i) {
    workers_.push_back(
        std::make_unique<Worker>(config_, tls_.setup(), log_, quota_, config_->compression.memory / count));
  }
  // After the workers: its handler asks them from the first request on.
  const config::Address& admin = config_->admin.address;
  side_port_ = std::make_unique<SidePort>(
      admin.host, admin.port,
      [this](const SideRequest& request, const SideReply& reply) { serve(request, reply); });
  tls_.start([this](const net::TlsSetup& setup) {
    for (const auto& worker : workers_) worker->use(setup);
  });
  for (const auto& listener : listeners_) listener->start();
  wait_for_signals();
  log_.write(Level::info, "serving",
             {{"version", version_},
              {"workers", std::uint64_t{count}},
              {"upstream", config_->upstream.url.text()},
              {"admin", net::text({admin.host, side_port_->port(), {}})}});
}

Server::~Server() {
  side_port_.reset();
  listeners_.clear();
  workers_.clear();
}

void Server::open_listeners() {
  for (std::size_t i = 0; i < config_->listeners.size(); ++i) {
    const config::Listener& listener = config_->listeners[i];
    net::Target target{listener.address.host, listener.address.port, listener.address.unix_path};
    listeners_.push_back(std::make_unique<net::Listener>(
        io_, target, [this, i](net::AcceptedSocket socket) { on_accept(std::move(socket), i); },
        [this](const net::error_code& error) {
          log_.write(Level::error, "cannot accept connections", {{"reason", error.message()}});
        }));
    if (!listener.address.is_unix()) target.port = listeners_.back()->port();
    log_.write(Level::info, "listening", {{"listener", listener.label()}, {"address", net::text(target)}});
  }
}

void Server::run() {
  while (state_ != State::stopped) {
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
  const bool is_over_limit = open >= refused && open - refused >= config_->limits.max_connections;
  // Those who linger after their answer hold descriptors, if no places.
  const std::size_t most = kRefusedAtOnce + (is_over_limit ? 0 : config_->limits.max_connections);
  if (refused >= most) {
    drop(listener);
    return;
  }
  const auto least = std::ranges::min_element(
      workers_, [](const auto& a, const auto& b) { return a->connections() < b->connections(); });
  (*least)->hand_over(std::move(socket), listener, is_over_limit);
}

void Server::drop(std::size_t listener) {
  dropped_[listener].fetch_add(1, std::memory_order_relaxed);
  const auto now = net::Clock::now();
  if (now < next_drop_line_) return;
  next_drop_line_ = now + kBetweenDropLines;
  log_.write(Level::warning, "too many connections at once: dropping some without an answer",
             {{"listener", config_->listeners[listener].label()},
              {"limit", std::uint64_t{config_->limits.max_connections}}});
}

std::size_t Server::connections() const {
  std::size_t sum = 0;
  for (const auto& worker : workers_) sum += worker->connections();
  return sum;
}

void Server::wait_for_signals() {
  signals_.async_wait([this](const net::error_code& error, int number) {
    if (error) return;
    wait_for_signals();
    on_signal(number);
  });
}

void Server::on_signal(int number) {
  if (number == SIGHUP) {
    log_.write(Level::warning,
               "only the files of TLS are read again: for the rest of the configuration restart");
    if (tls_.is_used()) tls_.reload();
    return;
  }
  if (state_ == State::serving) {
    begin_drain();
  } else {
    log_.write(Level::warning, "second signal: stopping at once",
               {{"connections", std::uint64_t{connections()}}});
    stop();
  }
}

void Server::begin_drain() {
  state_ = State::draining;
  const auto now = net::Clock::now();
  drain_ends_ = now + config_->drain.timeout;
  log_.write(Level::info, "draining", {{"connections", std::uint64_t{connections()}}});
  drain_timer_.expires_at(std::min(now + config_->drain.delay, drain_ends_));
  drain_timer_.async_wait([this](const net::error_code& error) {
    if (!error && state_ == State::draining) close_all();
  });
}

void Server::close_all() {
  state_ = State::closing;
  for (const auto& listener : listeners_) listener->stop();
  // The last close frame leaves early enough for its answer.
  const auto left =
      drain_ends_ - net::Clock::now() - std::min<net::Clock::duration>(config_->timeouts.close, kAnswerTime);
  const auto spread =
      std::clamp<net::Clock::duration>(config_->drain.spread, {}, std::max<net::Clock::duration>(left, {}));
  for (const auto& worker : workers_) worker->drain(spread);
  wait_until_gone();
}

void Server::wait_until_gone() {
  const bool time_is_up = net::Clock::now() >= drain_ends_;
  if (connections() == 0 || time_is_up) {
    if (time_is_up) {
      log_.write(Level::warning, "drain.timeout is over: cutting what is left",
                 {{"connections", std::uint64_t{connections()}}});
    }
    log_.write(Level::info, "drained");
    stop();
    return;
  }
  drain_timer_.expires_after(kPollGone);
  drain_timer_.async_wait([this](const net::error_code& error) {
    if (!error && state_ == State::closing) wait_until_gone();
  });
}

void Server::stop() {
  state_ = State::stopped;
  drain_timer_.cancel();
  tls_.stop();
  signals_.cancel();
  for (const auto& listener : listeners_) listener->stop();
  io_.stop();
}

}  // namespace wsproxy::server
