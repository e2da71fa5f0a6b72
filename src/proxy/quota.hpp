#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace wsproxy::proxy {

/// Limits that hold for the whole process and not for one worker: connections of one client address
/// and connections to the app. Touched once a connection, so a lock is no cost. 0 is no limit.
class Quota {
 public:
  Quota(std::uint32_t per_address, std::uint32_t to_app) : per_address_(per_address), to_app_(to_app) {}

  /// False when the address has its share; each true needs one leave. Peers of a unix socket have no
  /// address and no limit.
  bool enter_address(const std::string& address);
  void leave_address(const std::string& address);
  bool enter_app();
  void leave_app();

 private:
  std::uint32_t per_address_;
  std::uint32_t to_app_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::uint32_t> addresses_;
  std::uint32_t app_connections_ = 0;
};

}  // namespace wsproxy::proxy
