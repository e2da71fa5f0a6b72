#include "server/recent_latency.hpp"

#include <algorithm>

#include "server/latency_figures.hpp"

namespace wsproxy::server {

void RecentLatency::note(const telemetry::TrafficTable& traffic, net::Clock::time_point now) {
  if (!notes_.empty() && now - notes_.back().at < kStep) return;
  Note note{now, traffic.sum().relay_ns, {}};
  for (const auto& [key, cell] : traffic.cells()) note.cells.emplace(key, both_ways(cell.relay_ns));
  notes_.push_back(std::move(note));
  // The first one is the youngest that is a minute old.
  while (notes_.size() > 1 && now - notes_[1].at >= kWindow) notes_.pop_front();
}

RecentLatency::Result RecentLatency::of(const telemetry::TrafficTable& traffic,
                                        net::Clock::time_point now) const {
  const Note* before = nullptr;
  for (const Note& note : notes_) {
    if (now - note.at >= kWindow) before = &note;
  }
  Result result;
  result.all = traffic.sum().relay_ns;
  if (before != nullptr) {
    for (std::size_t d = 0; d < result.all.size(); ++d) result.all[d] = result.all[d].since(before->all[d]);
  }
  for (const auto& [key, cell] : traffic.cells()) {
    telemetry::LatencyHistogram recent = both_ways(cell.relay_ns);
    if (before != nullptr) {
      const auto then = before->cells.find(key);
      if (then != before->cells.end()) recent = recent.since(then->second);
    }
    result.by_listener[key.listener] += recent;
    result.by_route[key.route] += recent;
  }
  return result;
}

}  // namespace wsproxy::server
