#include "server/worker.hpp"

#include <algorithm>
#include <pthread.h>
#include <random>
#include <utility>

#include <boost/asio/post.hpp>

#include "proxy/peer_survey.hpp"
#include "proxy/session.hpp"
#include "server/crash_handler.hpp"
#include "telemetry/thread_signals.hpp"

namespace wsproxy::server {

namespace {

/// Measured with 9,500 connections: 20 us a portion, 110 us the longest one.
constexpr std::size_t kSurveyPortion = 256;

void count_sacrifices(const deflate::Codecs::Sacrificed& from, telemetry::Counters& to) {
  using telemetry::Sacrifice;
  const auto set = [&](Sacrifice stage, std::uint64_t count) { to.sacrifices[index(stage)] = count; };
  set(Sacrifice::encoders_freed, from.encoders);
  set(Sacrifice::frames_evicted, from.frames);
  set(Sacrifice::histories_asleep, from.asleep);
  set(Sacrifice::histories_shrunk, from.shrunk);
  set(Sacrifice::histories_dropped, from.dropped);
}

}  // namespace

Worker::Worker(std::shared_ptr<const proxy::Settings> settings, telemetry::Log& log, proxy::Quota& quota,
               std::size_t memory_share)
    : context_(io_, std::move(settings), log, quota, memory_share) {
  provide_side_thread();
  thread_ = std::thread([this] { run(); });
}

Worker::~Worker() {
  cut_all("the proxy stops");
  boost::asio::post(io_, [this] {
    is_stopping_ = true;
    house_timer_.cancel();
    portion_timer_.cancel();
    load_timer_.cancel();
    context_.poller.stop();
  });
  thread_.join();
}

void Worker::provide_side_thread() {
  const auto& listeners = context_.settings->tls.listeners;
  if (side_ || std::ranges::all_of(listeners, [](const auto& listener) { return listener == nullptr; }))
    return;
  side_ = std::make_unique<net::SideThread>(io_);
  context_.tls_buffers.side = side_.get();
}

void Worker::run() {
  telemetry::leave_signals_to_main_thread();
  const CrashStack stack;
  ::pthread_setname_np(::pthread_self(), "worker");
  keep_house();
  watch_load();
  for (;;) {
    try {
      io_.run();
      return;
    } catch (const std::exception& error) {
      // Sessions catch what is theirs; whatever else runs on this loop, the other connections go on.
      context_.log.write(telemetry::Level::error, "unexpected error on a worker", {{"reason", error.what()}});
    }
  }
}

void Worker::keep_house() {
  if (is_stopping_) return;
  // The timer is also what keeps the loop running without connections.
  house_timer_.expires_after(proxy::Context::kHousekeeping);
  house_timer_.async_wait(for_house_.bind([this](const net::error_code& error) {
    if (error) return;
    keep_house();
    context_.keep_house();
    keep_on();
  }));
}

void Worker::keep_on() {
  if (is_stopping_ || !context_.keep_on()) return;
  portion_timer_.expires_after(proxy::Context::kPortion);
  portion_timer_.async_wait(for_portion_.bind([this](const net::error_code& error) {
    if (!error) keep_on();
  }));
}

void Worker::watch_load() {
  if (is_stopping_) return;
  load_timer_.expires_after(proxy::Context::kLoadRound);
  load_timer_.async_wait(for_load_.bind([this](const net::error_code& error) {
    if (!error) watch_load();
  }));
  context_.observe_load(load_.observe(cpu_time_wanted(), net::Clock::now()));
}

void Worker::hand_over(net::AcceptedSocket socket, std::size_t listener, bool is_over_limit) {
  connections_.fetch_add(1, std::memory_order_relaxed);
  if (is_over_limit) context_.refused.fetch_add(1, std::memory_order_relaxed);
  try {
    boost::asio::post(io_, [this, socket = std::move(socket), listener, is_over_limit]() mutable {
      take(std::move(socket), listener, is_over_limit);
    });
  } catch (...) {
    uncount(is_over_limit);
    throw;
  }
}

void Worker::uncount(bool is_over_limit) {
  connections_.fetch_sub(1, std::memory_order_relaxed);
  if (is_over_limit) context_.refused.fetch_sub(1, std::memory_order_relaxed);
}

void Worker::take(net::AcceptedSocket socket, std::size_t listener, bool is_over_limit) {
  proxy::SessionPtr session;
  try {
    proxy::Arrival arrival{std::move(socket.socket), listener, net::target_of(socket.peer), is_over_limit};
    session = new proxy::Session(context_, std::move(arrival),
                                 [this] { connections_.fetch_sub(1, std::memory_order_relaxed); });
  } catch (...) {
    uncount(is_over_limit);
    throw;
  }
  proxy::Session::start(session);
}

telemetry::Counters Worker::copy_counters() {
  telemetry::Counters copy = context_.counters;
  copy.compression_memory_bytes = context_.codecs.budget.used();
  count_sacrifices(context_.codecs.sacrificed(), copy);
  return copy;
}

std::future<telemetry::Counters> Worker::counters() {
  std::promise<telemetry::Counters> promise;
  std::future<telemetry::Counters> future = promise.get_future();
  boost::asio::post(io_,
                    [this, promise = std::move(promise)]() mutable { promise.set_value(copy_counters()); });
  return future;
}

void Worker::ask_counters(std::function<void(telemetry::Counters)> take) {
  boost::asio::post(io_, [this, take = std::move(take)] { take(copy_counters()); });
}

/// One under way; an end of the worker breaks the promise.
struct Worker::Survey {
  Survey(const proxy::SessionRegistry& sessions, std::promise<proxy::PeerTables> asked)
      : peers(sessions), promise(std::move(asked)) {}

  proxy::PeerSurvey peers;
  std::promise<proxy::PeerTables> promise;
};

std::future<proxy::PeerTables> Worker::survey() {
  std::promise<proxy::PeerTables> promise;
  std::future<proxy::PeerTables> future = promise.get_future();
  boost::asio::post(io_, [this, promise = std::move(promise)]() mutable {
    go_on(std::make_shared<Survey>(context_.sessions, std::move(promise)));
  });
  return future;
}

void Worker::go_on(const std::shared_ptr<Survey>& survey) {
  if (is_stopping_) return;
  if (survey->peers.go_on(kSurveyPortion)) {
    boost::asio::post(io_, [this, survey] { go_on(survey); });
  } else {
    survey->promise.set_value(survey->peers.tables());
  }
}

void Worker::use(std::shared_ptr<const proxy::Settings> settings) {
  boost::asio::post(io_, [this, settings = std::move(settings)]() mutable {
    context_.use(std::move(settings));
    provide_side_thread();
  });
}

void Worker::drain(net::Clock::duration spread, net::Clock::time_point latest) {
  boost::asio::post(io_, [this, spread, latest] {
    std::minstd_rand random{std::random_device{}()};
    std::uniform_real_distribution<double> jitter{0, 1};
    const auto count = static_cast<double>(context_.sessions.size());
    const net::Clock::time_point now = net::Clock::now();
    double place = 0;
    context_.sessions.for_each([&](proxy::Session& session) {
      const double part = (place + jitter(random)) / count;
      place += 1;
      session.drain(now + std::chrono::duration_cast<net::Clock::duration>(spread * part), latest);
    });
  });
}

void Worker::cut_all(std::string_view cause) {
  boost::asio::post(
      io_, [this, cause] { context_.sessions.for_each([cause](proxy::Session& s) { s.cut(cause); }); });
}

}  // namespace wsproxy::server
