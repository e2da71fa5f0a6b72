#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <boost/asio/signal_set.hpp>

#include "config/config.hpp"
#include "server/app_check.hpp"
#include "server/config_keeper.hpp"
#include "server/drain.hpp"
#include "server/listener_set.hpp"
#include "server/peer_watch.hpp"
#include "server/reload_count.hpp"
#include "server/side_port.hpp"
#include "server/status_sampler.hpp"
#include "server/tls_keeper.hpp"
#include "server/worker.hpp"
#include "telemetry/exporter.hpp"
#include "telemetry/log.hpp"

namespace wsproxy::server {

/// The whole process once its configuration is known: listeners on the main thread, workers on
/// theirs, the side port on its own, and how all of it changes and ends.
class Server {
 public:
  /// Listens when it returns; throws std::exception with one line for the operator.
  Server(const std::shared_ptr<const config::Config>& config, ConfigSource source, telemetry::Log& log,
         std::string version);
  ~Server();

  /// Serves until a signal has ended it: the first one drains, a second one does not wait for that.
  void run();

 private:
  void start_workers();
  void start_watching();
  void start_side_port();
  void on_accept(net::AcceptedSocket socket, std::size_t listener);
  /// Counts, and says now and then, that one was closed at once.
  void drop(std::size_t listener);
  void wait_for_signals();
  void on_signal(int number);
  void reload();
  /// Puts a configuration into force: all of it, or it throws and nothing has changed.
  void adopt(const std::shared_ptr<const config::Config>& next);
  void use_settings();
  /// From any thread. `by` says who: a literal.
  void set_log_level(telemetry::Level level, std::string_view by);
  void keep_house();
  Drain::Actions drain_actions();
  void begin_drain();
  void stop();
  std::size_t connections() const;
  const config::Config& config() const { return *settings_->config; }

  // On the side port's thread.
  void serve(const SideRequest& request, const SideReply& reply);
  /// What `work` throws becomes an answer as well.
  void answer_anyway(std::string_view path, const SideReply& reply, const std::function<void()>& work);
  SideAnswer answer(const SideRequest& request);
  void readiness(const SideRequest& request, const SideReply& reply);
  /// From any thread; `call` comes on the main one, with why no client should come, or nothing.
  void ask_ready(AppCheck::OnAnswer call);
  static SideAnswer page();
  SideAnswer liveness();
  SideAnswer metrics(std::string_view accept);
  void status(const SideRequest& request, const SideReply& reply);
  SideAnswer status(std::uint64_t since, std::string not_ready);
  SideAnswer log_level(const SideRequest& request);
  void drain(const SideRequest& request, const SideReply& reply);
  void drained(const SideRequest& request, const SideReply& reply);
  void await_drain(const std::shared_ptr<net::Timer>& timer, net::Clock::time_point until,
                   const SideReply& reply);
  /// False when a worker did not answer in time.
  bool collect(telemetry::Counters& sum);

  telemetry::Log& log_;
  std::string version_;
  net::IoContext io_{1};
  boost::asio::signal_set signals_;
  net::Timer house_timer_{io_.get_executor()};
  net::KeptMemory for_signals_;
  net::KeptMemory for_house_;
  ReloadCount reload_count_;
  ConfigKeeper keeper_;
  TlsKeeper tls_;
  AppCheck app_check_;
  proxy::Quota quota_;
  std::shared_ptr<const proxy::Settings> settings_;  // of the main thread
  Drain drain_;
  bool is_exiting_ = false;
  std::atomic<bool> has_stopped_{false};
  mutable std::mutex dropped_mutex_;
  std::map<std::string, std::uint64_t> dropped_;  // by the listener's name
  net::Clock::time_point next_drop_line_;
  const std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  StatusSampler sampler_;
  std::vector<std::unique_ptr<Worker>> workers_;
  ListenerSet listeners_;
  std::unique_ptr<PeerWatch> peer_watch_;  // of the side port's thread
  std::unique_ptr<SidePort> side_port_;    // last in, first out: its handler uses all of the above
};

}  // namespace wsproxy::server
