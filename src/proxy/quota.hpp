#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "proxy/handshake_rates.hpp"

namespace wsproxy::proxy {

/// Limits that hold for the whole process and not for one worker: connections and handshakes of one
/// client address, connections to each app. Touched a few times a connection, so a lock is no cost. 0 is no
/// limit. An address counts as address_key() says; peers of a unix socket have none and no limit.
class Quota {
 public:
  explicit Quota(const config::Config& config);

  /// False when the address has its share; each true needs one leave.
  bool enter_address(const std::string& address);
  void leave_address(const std::string& address);

  /// False when the address has made too many handshakes a moment ago.
  bool try_handshake(const std::string& address, HandshakeRates::Clock::time_point now);

  /// `number` is that of the destination. Routes whose upstreams are equal share their places.
  bool enter_app(std::size_t number);
  void leave_app(std::size_t number);

 private:
  struct Places {
    std::uint32_t most = 0;
    std::uint32_t taken = 0;
  };

  std::mutex mutex_;
  std::uint32_t per_address_;
  std::map<std::string, std::uint32_t> addresses_;  // a tree: peers choose the keys
  HandshakeRates handshakes_;
  std::vector<Places> apps_;
  std::vector<std::size_t> app_of_;  // by the destination's number
};

}  // namespace wsproxy::proxy
