#pragma once

#include <cstdint>
#include <limits>

namespace wsproxy::relay {

/// How much more of what a client sends may be taken now. Counted down as it is taken, below zero by one
/// step at most: a frame's header, a control frame, or kWholeMessage of inflated text.
struct Allowance {
  static constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

  /// Whole messages, and each fragment so small that what it costs is to be a frame at all.
  std::int64_t messages = kNoLimit;
  /// Payload, inflated, and the headers of its frames as they came, so that empty ones are not free.
  std::int64_t bytes = kNoLimit;
  /// Pings and pongs.
  std::int64_t control_frames = kNoLimit;

  bool is_used_up() const { return messages <= 0 || bytes <= 0 || control_frames <= 0; }
  bool operator==(const Allowance&) const = default;
};

/// A fragment with less payload, that is not its message's last, counts as a message.
inline constexpr std::uint64_t kSmallFragment = 126;

}  // namespace wsproxy::relay
