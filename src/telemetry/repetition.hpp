#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "telemetry/log_line.hpp"

namespace wsproxy::telemetry {

/// So many lines of a kind are written within a window, which begins with the first of them.
struct RepetitionLimits {
  std::uint32_t lines = 10;  // 0: all are
  std::chrono::steady_clock::duration window = std::chrono::seconds{10};
};

/// What a window that is over has kept from the log.
struct LeftOut {
  Level level = Level::error;
  std::string message;
  std::vector<std::pair<std::string, std::string>> fields;  // those that made the lines one kind
  std::uint64_t count = 0;
};

/// Keeps lines that say the same again and again from filling the log. Two lines are of one kind when level,
/// message and the fields `by`, `file`, `key`, `limit`, `listener`, `problem`, `reason` and `upstream`, as
/// far as they are text, are equal: peers choose none of these. Warnings and errors are limited, and those
/// lines at info that a peer can cause at will.
///
/// At most kMaxKinds kinds are told apart at a time; what comes on top shares one more window. One thread.
class Repetition {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kMaxKinds = 64;
  static constexpr std::size_t kMaxFieldBytes = 256;  // more of a value does not make another kind
  /// Of the line about kinds that were too many to tell apart.
  static constexpr std::string_view kOtherLines = "other log lines left out";

  explicit Repetition(RepetitionLimits limits) : limits_(limits) {}

  /// Whether lines of that message are limited at all: the rest need not be asked about.
  static bool concerns(Level level, std::string_view message);

  /// Whether the line may be written. Call take_ended first, or its window may end unseen.
  bool admit(Level level, std::string_view message, std::span<const LogField> fields, Time now);

  /// The windows that are over by `now`, if they left out anything; they are forgotten.
  std::vector<LeftOut> take_ended(Time now);
  /// All of them, over or not.
  std::vector<LeftOut> take_all() { return take_ended(Time::max()); }

 private:
  struct Kind {
    Time ends;
    std::uint32_t written = 0;
    LeftOut left_out;
  };
  Kind& kind_of(Level level, std::string_view message, std::span<const LogField> fields, Time now);

  RepetitionLimits limits_;
  std::vector<Kind> kinds_;
};

}  // namespace wsproxy::telemetry
