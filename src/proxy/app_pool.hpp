#pragma once

#include <list>
#include <memory>

#include "net/transport.hpp"
#include "proxy/quota.hpp"

namespace wsproxy::proxy {

/// Connections to the apps that wait for the next plain request of their worker. One that its app closes, or
/// sends something on, is dropped. One worker's thread.
class AppPool {
 public:
  AppPool() = default;
  AppPool(const AppPool&) = delete;
  AppPool& operator=(const AppPool&) = delete;

  /// The one that was used last and is still quiet; nullptr when there is none. Its app may close it the
  /// moment after.
  std::unique_ptr<net::Transport> take(const AppPtr& app);
  void put(AppPtr app, std::unique_ptr<net::Transport> transport);
  /// Closes those that have waited for long.
  void keep_house();
  std::size_t size() const { return idle_.size(); }

 private:
  struct Idle {
    AppPtr app;
    net::Clock::time_point until;
    std::unique_ptr<net::Transport> transport;
  };
  void on_readable(std::list<Idle>::iterator place);

  std::list<Idle> idle_;  // the one that was put last is in front
};

}  // namespace wsproxy::proxy
