#pragma once

#include <chrono>
#include <mutex>

#include "telemetry/exporter.hpp"

namespace wsproxy::server {

/// How often the configuration, or the files of its TLS, were read again, and how that went. From any thread.
class ReloadCount {
 public:
  void add(bool has_succeeded) {
    const std::lock_guard lock{mutex_};
    ++(has_succeeded ? counters_.succeeded : counters_.failed);
    if (has_succeeded) counters_.last_success = std::chrono::system_clock::now();
  }
  telemetry::ReloadCounters counters() const {
    const std::lock_guard lock{mutex_};
    return counters_;
  }

 private:
  mutable std::mutex mutex_;
  telemetry::ReloadCounters counters_{0, 0, std::chrono::system_clock::now()};  // the start is a load
};

}  // namespace wsproxy::server
