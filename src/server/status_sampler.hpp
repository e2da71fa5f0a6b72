#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "net/types.hpp"
#include "server/recent_latency.hpp"
#include "server/status_history.hpp"

namespace wsproxy::server {

/// Asks the workers for their counters every StatusHistory::kInterval and keeps what the status page tells of
/// the past. On the main thread, which it never holds up; what is asked of it may come from any.
class StatusSampler {
 public:
  using Take = std::function<void(telemetry::Counters)>;
  /// One worker: calls back once, from whatever thread, also after stop() but not after this has gone.
  using Source = std::function<void(Take)>;

  /// `io` outlives the sources' last call.
  explicit StatusSampler(net::IoContext& io) : io_(io), timer_(io.get_executor()) {}

  void start(std::vector<Source> sources);
  void stop();

  struct Past {
    std::uint64_t last_sample;
    std::vector<StatusSample> samples;
    RecentLatency::Result latency;
  };
  /// The samples with a higher number than `seq`, and the latency that `traffic`, of now, has of late. From
  /// any thread.
  Past past(std::uint64_t seq, const telemetry::TrafficTable& traffic) const;

 private:
  /// What has come of one round.
  struct Round {
    telemetry::Counters sum;
    std::size_t awaited = 0;
  };

  void wait();
  void ask();
  void take(Round& round, const telemetry::Counters& part);

  net::IoContext& io_;
  net::Timer timer_;
  std::vector<Source> sources_;
  std::shared_ptr<Round> round_;  // and a reference for each who may still answer
  mutable std::mutex mutex_;      // of the two below
  StatusHistory history_;
  RecentLatency latency_;
};

}  // namespace wsproxy::server
