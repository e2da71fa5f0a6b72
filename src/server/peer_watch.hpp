#pragma once

#include <functional>
#include <future>
#include <vector>

#include "net/clock.hpp"
#include "server/status_report.hpp"

namespace wsproxy::server {

/// The tables of connections for the status page. Workers look at theirs only when somebody asks, and every
/// kFresh at most however many do. On one thread.
class PeerWatch {
 public:
  static constexpr auto kFresh = std::chrono::seconds{2};
  /// One worker's survey.
  using Source = std::function<std::future<proxy::PeerTables>()>;

  explicit PeerWatch(std::vector<Source> sources) : sources_(std::move(sources)) {}

  /// What is known, after waiting until `deadline` at most for what is stale; a worker that is busy then is
  /// looked for the next time, and until then this is what was known before.
  const PeerReport& report(net::Clock::time_point now, net::Clock::time_point deadline);

 private:
  void ask(net::Clock::time_point now);
  void take(net::Clock::time_point deadline);

  std::vector<Source> sources_;
  std::vector<std::future<proxy::PeerTables>> awaited_;  // of a round that is under way
  net::Clock::time_point asked_;
  bool was_asked_ = false;
  PeerReport report_;
};

}  // namespace wsproxy::server
