#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "net/connector.hpp"

namespace wsproxy::server {

/// The apps that a config names, each once. With routes an upstream that is nothing but the default was
/// never meant, and is none of them.
std::vector<config::UpstreamUrl> apps_of(const config::Config& config);

/// Whether at least one app takes connections: connects to all at most once a second, when somebody asks. A
/// proxy whose every route leads nowhere is of no use; one that has lost an app still is to the others.
class AppCheck {
 public:
  /// The connecting is done by `io`, which runs on another thread than the one that asks.
  AppCheck(net::IoContext& io, std::vector<config::UpstreamUrl> apps);
  /// When neither thread runs any more.
  ~AppCheck();

  /// From now on these. Waits for nobody: it is io's thread that asks.
  void set_apps(std::vector<config::UpstreamUrl> apps);
  /// Empty when one can be reached, else why none can; waits for up to a second. Not from io's thread.
  std::string problem();

 private:
  class Round;
  std::vector<config::UpstreamUrl> apps() const;
  std::string ask_all(const std::vector<config::UpstreamUrl>& apps);

  net::IoContext& io_;
  net::Poller poller_;
  mutable std::mutex apps_mutex_;  // of the next one
  std::vector<config::UpstreamUrl> apps_;
  std::mutex mutex_;              // of the rest; held while the apps are asked
  std::shared_ptr<Round> round_;  // the last one, so that an unfinished one can be ended
  std::optional<net::Clock::time_point> checked_;
  std::vector<config::UpstreamUrl> checked_apps_;
  std::string problem_;
};

}  // namespace wsproxy::server
