#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "proxy/handshake_rates.hpp"

namespace wsproxy::proxy {

class Quota;

/// An app as the process knows it. Upstreams of a configuration that are the same in every key are one app.
/// In the next configuration it is the one that is reached in the same way, whatever its limit and timeouts
/// are now; when several are, the one at the same place among them.
class App {
 public:
  explicit App(config::Upstream upstream, std::size_t number = 0)
      : upstream_(std::move(upstream)), number_(number) {}

 private:
  friend class Quota;
  bool is(const config::Upstream& upstream, std::size_t number) const;

  config::Upstream upstream_;
  std::size_t number_;
  std::uint32_t taken_ = 0;  // under the quota's lock
};
using AppPtr = std::shared_ptr<App>;

/// Limits that hold for the whole process and not for one worker: connections and handshakes of one
/// client address, connections to each app. Touched a few times a connection, so a lock is no cost. 0 is no
/// limit. An address counts as address_key() says; peers of a unix socket have none and no limit.
class Quota {
 public:
  explicit Quota(const config::Limits& limits);

  /// From now on these hold; who is in stays in.
  void set_limits(const config::Limits& limits);

  enum class Entry : std::uint8_t {
    refused,    // the address has its share
    counted,    // needs one leave
    uncounted,  // there is no limit
  };
  Entry enter_address(const std::string& address);
  void leave_address(const std::string& address);

  /// False when the address has made too many handshakes a moment ago.
  bool try_handshake(const std::string& address, HandshakeRates::Clock::time_point now);

  /// The upstream's app, then those of the routes. Those that are known keep their count.
  std::vector<AppPtr> apps_of(const config::Config& config);
  /// False when `most` places (upstream.max_connections) are taken; each true needs one leave.
  bool enter_app(App& app, std::uint32_t most);
  void leave_app(App& app);

 private:
  AppPtr app_of(const config::Upstream& upstream, std::size_t number);

  std::mutex mutex_;
  std::atomic<std::uint32_t> per_address_;
  std::map<std::string, std::uint32_t> addresses_;  // a tree: peers choose the keys
  std::atomic<std::uint32_t> handshakes_per_second_;
  std::unique_ptr<HandshakeRates> handshakes_;
  std::vector<std::weak_ptr<App>> apps_;
};

}  // namespace wsproxy::proxy
