#include "proxy/client_rate.hpp"

#include <algorithm>
#include <cmath>

namespace wsproxy::proxy {

using relay::Allowance;
using Clock = TokenBucket::Clock;

namespace {

/// A shorter pause is not worth its timer: what it lets pass meanwhile is taken together.
constexpr std::chrono::milliseconds kShortestWait{5};

TokenBucket bucket(std::uint64_t per_second, Clock::time_point now) {
  const auto rate = static_cast<double>(per_second);
  return {rate, rate, now};
}

/// As much as leaves a debt: one more than is there.
std::int64_t allowed(const TokenBucket& bucket, Clock::time_point now) {
  if (bucket.is_off()) return Allowance::kNoLimit;
  const double level = bucket.level_at(now);
  return level < 0 ? 0 : static_cast<std::int64_t>(std::floor(level)) + 1;
}

void take(TokenBucket& bucket, std::int64_t amount, Clock::time_point now) {
  if (amount > 0) bucket.charge(static_cast<double>(amount), now);
}

}  // namespace

ClientRate::ClientRate(const config::Limits& limits, Clock::time_point now)
    : messages_(bucket(limits.messages_per_second, now)),
      bytes_(bucket(limits.bytes_per_second, now)),
      control_frames_(bucket(limits.control_frames_per_second, now)) {
}

Allowance ClientRate::allowance(Clock::time_point now) const {
  return {allowed(messages_, now), allowed(bytes_, now), allowed(control_frames_, now)};
}

void ClientRate::charge(const Allowance& given, const Allowance& left, Clock::time_point now) {
  take(messages_, given.messages - left.messages, now);
  take(bytes_, given.bytes - left.bytes, now);
  take(control_frames_, given.control_frames - left.control_frames, now);
}

Clock::duration ClientRate::wait(Clock::time_point now) const {
  const Clock::duration longest =
      std::max({messages_.wait(now), bytes_.wait(now), control_frames_.wait(now)});
  return longest > Clock::duration::zero() ? std::max<Clock::duration>(longest, kShortestWait) : longest;
}

std::string_view ClientRate::exceeded(Clock::time_point now) const {
  const Clock::duration messages = messages_.wait(now);
  const Clock::duration bytes = bytes_.wait(now);
  const Clock::duration control_frames = control_frames_.wait(now);
  if (std::max({messages, bytes, control_frames}) == Clock::duration::zero()) return {};
  if (control_frames > std::max(messages, bytes)) return "limits.control_frames_per_second";
  return messages >= bytes ? "limits.messages_per_second" : "limits.bytes_per_second";
}

}  // namespace wsproxy::proxy
