#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <vector>

#include "net/clock.hpp"
#include "server/latency_figures.hpp"
#include "telemetry/counters.hpp"

namespace wsproxy::server {

/// What happened in one interval. Rates are per second, sizes bytes.
struct StatusSample {
  std::uint64_t seq = 0;
  std::chrono::system_clock::time_point time;  // its end
  std::int64_t connections = 0;                // at its end
  struct Rates {
    double messages = 0;
    double payload_bytes = 0;
    double wire_bytes = 0;  // on the client's side
  };
  std::array<Rates, telemetry::kDirections> rates{};
  double saved_bytes = 0;
  double compress_cpu = 0;  // seconds a second
  std::uint64_t compression_memory_bytes = 0;
  LatencyFigures latency;  // of its messages, both ways
};

/// The last ten minutes, from counters that are told every kInterval. About 40 KB.
class StatusHistory {
 public:
  static constexpr auto kInterval = std::chrono::seconds{2};
  static constexpr std::size_t kSamples = 300;

  /// The sum of the workers' counters. The first call makes no sample: an interval has two ends.
  void add(const telemetry::Counters& sum, net::Clock::time_point now,
           std::chrono::system_clock::time_point date);

  /// Of the newest sample; 0 before there is one. Samples are numbered from 1 without a gap.
  std::uint64_t last() const { return samples_.empty() ? 0 : samples_.back().seq; }
  /// Those with a higher number, the oldest first.
  std::vector<StatusSample> since(std::uint64_t seq) const;

 private:
  struct Reading {
    net::Clock::time_point at;
    bool is_there = false;
    telemetry::Traffic traffic;
    std::uint64_t input_bytes = 0;
    std::uint64_t output_bytes = 0;
    std::uint64_t compress_ns = 0;
  };
  static StatusSample sample_between(const Reading& before, const Reading& now);

  Reading last_;
  std::deque<StatusSample> samples_;
};

}  // namespace wsproxy::server
