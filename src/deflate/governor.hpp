#pragma once

#include <algorithm>
#include <cstdint>

namespace wsproxy::deflate {

/// Lowers the compression level of a worker while its CPU is short, before its messages wait for it, and
/// raises it again when there is plenty. It is told once a round how busy the worker was. Routes have
/// levels of their own, so what it yields is a cap on all of them.
class Governor {
 public:
  static constexpr double kBusy = 0.85;  // above it for kBusyRounds in a row: a step down
  static constexpr double kCalm = 0.60;  // below it for kCalmRounds in a row: a step up
  static constexpr int kBusyRounds = 2;
  static constexpr int kCalmRounds = 5;
  /// A step up that has to be taken back within so many rounds doubles the calm that the next one needs,
  /// up to kMostCalmRounds: a load that one level is too much for does not swing it for ever.
  static constexpr int kRegret = 10;
  static constexpr int kMostCalmRounds = 80;

  /// `highest`: of the configured levels that may be lowered (compression.adaptive); 1 when none may.
  explicit Governor(std::uint8_t highest) : highest_(highest), cap_(highest) {}

  /// Ends a round of which the worker was busy this part, 0 to 1. True when the cap has moved.
  bool observe(double utilisation);

  /// Levels above it are not used now.
  std::uint8_t cap() const { return cap_; }
  std::uint8_t highest() const { return highest_; }
  /// Whether the last rounds have said so, also where no level may be lowered for it; as long as the cap is.
  bool is_cpu_short() const { return is_short_ || cap_ < highest_; }
  /// What is in force where so much is configured.
  std::uint8_t level(std::uint8_t configured) const { return std::min(configured, cap_); }

 private:
  bool lower();
  bool raise();

  std::uint8_t highest_;
  std::uint8_t cap_;
  bool is_short_ = false;  // of calm and busy, busy was last
  int busy_rounds_ = 0;    // in a row
  int calm_rounds_ = 0;    // in a row
  int calm_needed_ = kCalmRounds;
  int since_raise_ = kRegret;  // rounds, counted as far as that
};

}  // namespace wsproxy::deflate
