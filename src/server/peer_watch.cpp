#include "server/peer_watch.hpp"

#include <algorithm>
#include <utility>

namespace wsproxy::server {

const PeerReport& PeerWatch::report(net::Clock::time_point now, net::Clock::time_point deadline) {
  if (awaited_.empty() && (!was_asked_ || now - asked_ >= kFresh)) ask(now);
  if (!awaited_.empty()) take(deadline);
  return report_;
}

void PeerWatch::ask(net::Clock::time_point now) {
  asked_ = now;
  was_asked_ = true;
  for (const Source& source : sources_) awaited_.push_back(source());
}

void PeerWatch::take(net::Clock::time_point deadline) {
  for (const auto& part : awaited_) {
    if (part.wait_until(deadline) != std::future_status::ready) return;
  }
  PeerReport fresh{std::chrono::system_clock::now(), {}};
  for (auto& part : std::exchange(awaited_, {})) proxy::merge(fresh.tables, part.get());
  report_ = std::move(fresh);
}

}  // namespace wsproxy::server
