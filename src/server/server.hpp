#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include <boost/asio/signal_set.hpp>

#include "config/config.hpp"
#include "net/listener.hpp"
#include "server/app_check.hpp"
#include "server/side_port.hpp"
#include "server/tls_keeper.hpp"
#include "server/worker.hpp"
#include "telemetry/exporter.hpp"
#include "telemetry/log.hpp"

namespace wsproxy::server {

/// The whole process once its configuration is known: listeners on the main thread, workers on
/// theirs, the side port on its own, and how all of it ends.
///
///   serving --SIGTERM--> not ready --drain.delay--> no new connections, close frames over drain.spread
///           --all gone, drain.timeout or a second signal--> stopped
class Server {
 public:
  /// Listens when it returns; throws std::exception with one line for the operator.
  Server(std::shared_ptr<const config::Config> config, telemetry::Log& log, std::string version);
  ~Server();

  /// Serves until it has drained.
  void run();

 private:
  enum class State : std::uint8_t { serving, draining, closing, stopped };

  void open_listeners();
  void on_accept(net::AcceptedSocket socket, std::size_t listener);
  /// Counts, and says now and then, that one was closed at once.
  void drop(std::size_t listener);
  void wait_for_signals();
  void on_signal(int number);
  void begin_drain();
  void close_all();
  void wait_until_gone();
  void stop();
  std::size_t connections() const;

  void serve(const SideRequest& request, const SideReply& reply);
  SideAnswer answer(const SideRequest& request);
  SideAnswer readiness();
  SideAnswer liveness();
  SideAnswer metrics();
  /// False when a worker did not answer in time.
  bool collect(telemetry::Counters& sum);

  std::shared_ptr<const config::Config> config_;
  telemetry::Log& log_;
  std::string version_;
  net::IoContext io_{1};
  boost::asio::signal_set signals_;
  net::Timer drain_timer_;
  net::Clock::time_point drain_ends_;
  std::atomic<State> state_{State::serving};
  TlsKeeper tls_;
  AppCheck app_check_;
  proxy::Quota quota_;
  std::vector<std::atomic<std::uint64_t>> dropped_;  // by listener
  net::Clock::time_point next_drop_line_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::unique_ptr<SidePort> side_port_;  // last in, first out: its handler uses all of the above
};

}  // namespace wsproxy::server
