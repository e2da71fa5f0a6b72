#pragma once

#include <functional>
#include <memory>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>

#include "net/types.hpp"

namespace wsproxy::net {

/// A thread beside a worker's for what would hold its loop up. It gives way to the workers: it runs at a
/// lower priority, and so on a CPU of its own or when they have nothing to do.
class SideThread {
 public:
  explicit SideThread(IoContext& io);
  /// Joins; what has not been begun is not done.
  ~SideThread();
  SideThread(const SideThread&) = delete;
  SideThread& operator=(const SideThread&) = delete;

  /// `work` on the side thread, one after the other; it throws nothing. Then `done` on the loop, unless that
  /// is gone.
  void run(std::function<void()> work, std::function<void()> done);

 private:
  void run_line();

  IoContext& io_;
  IoContext line_{1};
  boost::asio::executor_work_guard<Executor> stays_;
  std::thread thread_;
};

}  // namespace wsproxy::net
