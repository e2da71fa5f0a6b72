#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "config/config.hpp"
#include "net/connector.hpp"

namespace wsproxy::server {

/// Whether the app takes connections: connects to it at most once a second, when somebody asks.
class AppCheck {
 public:
  /// The connecting is done by `io`, which runs on another thread than the one that asks.
  AppCheck(net::IoContext& io, config::UpstreamUrl url);
  /// When neither thread runs any more.
  ~AppCheck();

  /// Empty when it can be reached, else why not; waits for up to a second. Not from io's thread.
  std::string problem();

 private:
  struct Attempt;
  std::string connect_once();

  net::IoContext& io_;
  config::UpstreamUrl url_;
  std::mutex mutex_;
  std::shared_ptr<Attempt> attempt_;  // the last one, so that an unfinished one can be ended
  std::optional<net::Clock::time_point> checked_;
  std::string problem_;
};

}  // namespace wsproxy::server
