#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <thread>

#include "net/listener.hpp"
#include "net/side_thread.hpp"
#include "proxy/context.hpp"
#include "proxy/peer_tables.hpp"
#include "server/thread_load.hpp"

namespace wsproxy::server {

/// One thread with one loop and everything its sessions touch. Other threads only post to it.
class Worker {
 public:
  Worker(std::shared_ptr<const proxy::Settings> settings, telemetry::Log& log, proxy::Quota& quota,
         std::size_t memory_share);
  /// Cuts what is left and joins.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Connections handed over and not gone yet; what "least loaded" means.
  std::size_t connections() const { return connections_.load(std::memory_order_relaxed); }
  /// Those of them that hold no place: proxy::Context::refused.
  std::size_t refused() const { return context_.refused.load(std::memory_order_relaxed); }
  void hand_over(net::AcceptedSocket socket, std::size_t listener, bool is_over_limit);

  /// A copy of its counters, made by the worker itself between two events.
  std::future<telemetry::Counters> counters();
  /// The same to a call on the worker's thread, which must not throw.
  void ask_counters(std::function<void(telemetry::Counters)> take);
  /// Its largest and slowest connections, looked at between messages; takes a few turns of its loop.
  std::future<proxy::PeerTables> survey();

  /// What connections go by that are handed over from now on.
  void use(std::shared_ptr<const proxy::Settings> settings);

  /// Close frames for all, spread evenly with jitter, at the latest at that time; also for those still in
  /// their handshake.
  void drain(net::Clock::duration spread, net::Clock::time_point latest);
  void cut_all(std::string_view cause);  // a literal

 private:
  void run();
  void provide_side_thread();
  void keep_on();
  void keep_house();
  void watch_load();
  telemetry::Counters copy_counters();
  struct Survey;
  void go_on(const std::shared_ptr<Survey>& survey);
  void take(net::AcceptedSocket socket, std::size_t listener, bool is_over_limit);
  /// One that was handed over has not become a session.
  void uncount(bool is_over_limit);

  net::IoContext io_{1};
  proxy::Context context_;
  net::KeptMemory for_portion_;
  net::KeptMemory for_house_;
  net::KeptMemory for_load_;
  net::Timer portion_timer_{io_.get_executor()};
  net::Timer house_timer_{io_.get_executor()};
  net::Timer load_timer_{io_.get_executor()};
  std::unique_ptr<net::SideThread> side_;  // where a listener speaks TLS
  ThreadLoad load_;
  bool is_stopping_ = false;  // of the worker's thread, like all but the next
  std::atomic<std::size_t> connections_{0};
  std::thread thread_;
};

}  // namespace wsproxy::server
