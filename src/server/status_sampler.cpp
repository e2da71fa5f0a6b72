#include "server/status_sampler.hpp"

#include <utility>

#include <boost/asio/post.hpp>

namespace wsproxy::server {

void StatusSampler::start(std::vector<Source> sources) {
  sources_ = std::move(sources);
  ask();
  wait();
}

void StatusSampler::stop() {
  sources_.clear();
  timer_.cancel();
}

void StatusSampler::wait() {
  timer_.expires_after(StatusHistory::kInterval);
  timer_.async_wait([this](const net::error_code& error) {
    if (error || sources_.empty()) return;
    wait();
    ask();
  });
}

void StatusSampler::ask() {
  // A worker that has not answered yet, but may, is not asked again: its sample comes when it does, for a
  // longer time.
  if (round_.use_count() > 1) return;
  round_ = std::make_shared<Round>();
  round_->awaited = sources_.size();
  for (const Source& source : sources_) {
    source([this, round = round_](telemetry::Counters part) {
      boost::asio::post(io_, [this, round, part = std::move(part)] { take(*round, part); });
    });
  }
}

void StatusSampler::take(Round& round, const telemetry::Counters& part) {
  round.sum += part;
  if (--round.awaited > 0) return;
  const net::Clock::time_point now = net::Clock::now();
  const std::lock_guard lock(mutex_);
  history_.add(round.sum, now, std::chrono::system_clock::now());
  latency_.note(round.sum.traffic, now);
}

StatusSampler::Past StatusSampler::past(std::uint64_t seq, const telemetry::TrafficTable& traffic) const {
  const std::lock_guard lock(mutex_);
  return {history_.last(), history_.since(seq), latency_.of(traffic, net::Clock::now())};
}

}  // namespace wsproxy::server
