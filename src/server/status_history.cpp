#include "server/status_history.hpp"

#include <algorithm>

namespace wsproxy::server {

namespace {

/// How much a total has grown. In floating point, since what is saved may also shrink.
double growth(std::uint64_t before, std::uint64_t now) {
  return static_cast<double>(now) - static_cast<double>(before);
}

}  // namespace

void StatusHistory::add(const telemetry::Counters& sum, net::Clock::time_point now,
                        std::chrono::system_clock::time_point date) {
  Reading reading{now,
                  true,
                  sum.traffic.sum(),
                  sum.compression_input_bytes,
                  sum.compression_output_bytes,
                  sum.compress_ns};
  if (last_.is_there && now > last_.at) {
    StatusSample sample = sample_between(last_, reading);
    sample.seq = last() + 1;
    sample.time = date;
    for (const auto& [name, listener] : sum.listeners) sample.connections += listener.active;
    sample.compression_memory_bytes = sum.compression_memory_bytes;
    samples_.push_back(sample);
    if (samples_.size() > kSamples) samples_.pop_front();
  }
  last_ = reading;
}

StatusSample StatusHistory::sample_between(const Reading& before, const Reading& now) {
  const double seconds = std::chrono::duration<double>(now.at - before.at).count();
  constexpr double kNanosecondsPerSecond = 1e9;
  StatusSample sample;
  for (std::size_t d = 0; d < telemetry::kDirections; ++d) {
    const telemetry::DirectionCounters& then = before.traffic.relayed[d];
    const telemetry::DirectionCounters& since = now.traffic.relayed[d];
    constexpr std::size_t kClient = telemetry::index(telemetry::Side::client);
    sample.rates[d] = {growth(then.message_count(), since.message_count()) / seconds,
                       growth(then.payload_bytes, since.payload_bytes) / seconds,
                       growth(then.wire_bytes[kClient], since.wire_bytes[kClient]) / seconds};
  }
  sample.saved_bytes =
      (growth(before.input_bytes, now.input_bytes) - growth(before.output_bytes, now.output_bytes)) / seconds;
  sample.compress_cpu = growth(before.compress_ns, now.compress_ns) / kNanosecondsPerSecond / seconds;
  sample.latency = figures_of(both_ways(now.traffic.relay_ns).since(both_ways(before.traffic.relay_ns)));
  return sample;
}

std::vector<StatusSample> StatusHistory::since(std::uint64_t seq) const {
  const auto first = std::ranges::upper_bound(samples_, seq, {}, &StatusSample::seq);
  return {first, samples_.end()};
}

}  // namespace wsproxy::server
