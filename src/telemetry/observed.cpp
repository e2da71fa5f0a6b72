#include "telemetry/observed.hpp"

#include <algorithm>

namespace wsproxy::telemetry {

TrialCounters& TrialCounters::operator+=(const TrialCounters& other) {
  messages += other.messages;
  input_bytes += other.input_bytes;
  output_bytes += other.output_bytes;
  compress_ns += other.compress_ns;
  return *this;
}

ObservedCounters& ObservedCounters::operator+=(const ObservedCounters& other) {
  for (std::size_t i = 0; i < trials.size(); ++i) trials[i] += other.trials[i];
  seen_messages += other.seen_messages;
  seen_bytes += other.seen_bytes;
  broadcasts += other.broadcasts;
  for (std::size_t i = 0; i < bypassed.size(); ++i) bypassed[i] += other.bypassed[i];
  spent_ns += other.spent_ns;
  return *this;
}

std::size_t nearest_trial(std::uint8_t level, std::size_t reach) {
  const std::size_t row = level <= 3 ? 0 : level <= 6 ? 1 : 2;
  const std::size_t column = reach == 0 ? 0 : reach < 16 * 1024 ? 1 : 2;
  return row * 3 + column;
}

std::optional<ObservedSavings> observed_savings(const ObservedCounters& observed, std::size_t trial) {
  const TrialCounters& tried = observed.trials.at(trial);
  if (tried.input_bytes == 0 || observed.seen_messages == 0) return std::nullopt;
  const double ratio = static_cast<double>(tried.output_bytes) / static_cast<double>(tried.input_bytes);
  const double each = static_cast<double>(tried.compress_ns) / static_cast<double>(tried.messages);
  ObservedSavings savings;
  savings.messages = observed.seen_messages;
  savings.input_bytes = observed.seen_bytes;
  savings.output_bytes = static_cast<std::uint64_t>(static_cast<double>(observed.seen_bytes) * ratio);
  savings.saved_bytes = observed.seen_bytes - std::min(observed.seen_bytes, savings.output_bytes);
  savings.compress_seconds = each * static_cast<double>(observed.seen_messages - observed.broadcasts) / 1e9;
  return savings;
}

}  // namespace wsproxy::telemetry
