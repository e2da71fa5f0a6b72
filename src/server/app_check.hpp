#pragma once

#include <functional>
#include <memory>
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
/// On the loop's thread.
class AppCheck {
 public:
  /// Told an empty text when one can be reached, else why none can.
  using OnAnswer = std::function<void(const std::string& problem)>;

  AppCheck(net::IoContext& io, std::vector<config::UpstreamUrl> apps);
  ~AppCheck();
  AppCheck(const AppCheck&) = delete;
  AppCheck& operator=(const AppCheck&) = delete;

  /// From now on these; who waits is told of them.
  void set_apps(std::vector<config::UpstreamUrl> apps);
  /// Calls at once when the apps have been asked within the last second, else within a second; never when
  /// this ends before.
  void ask(OnAnswer call);

 private:
  class Round;
  void start_round();
  void end_round(const std::string& problem);

  net::IoContext& io_;
  net::Poller poller_;
  std::vector<config::UpstreamUrl> apps_;
  std::shared_ptr<Round> round_;  // that runs
  std::vector<OnAnswer> waiting_;
  std::optional<net::Clock::time_point> checked_;
  std::string problem_;
};

}  // namespace wsproxy::server
