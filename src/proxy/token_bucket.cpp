#include "proxy/token_bucket.hpp"

#include <algorithm>

namespace wsproxy::proxy {

namespace {
using Seconds = std::chrono::duration<double>;
/// A debt is never waited for longer than this at once, so that the arithmetic stays in range.
constexpr std::chrono::hours kLongestWait{1};
}  // namespace

double TokenBucket::level_at(Clock::time_point now) const {
  if (now <= filled_) return level_;
  return std::min(burst_, level_ + per_second_ * Seconds{now - filled_}.count());
}

void TokenBucket::charge(double amount, Clock::time_point now) {
  if (is_off()) return;
  level_ = level_at(now) - amount;
  filled_ = std::max(filled_, now);
}

TokenBucket::Clock::duration TokenBucket::wait(Clock::time_point now) const {
  const double level = is_off() ? 0 : level_at(now);
  if (level >= 0) return {};
  const Seconds left{std::min(-level / per_second_, Seconds{kLongestWait}.count())};
  return std::chrono::ceil<Clock::duration>(left);
}

bool TokenBucket::try_take(double amount, Clock::time_point now) {
  if (is_off()) return true;
  if (level_at(now) < amount) return false;
  charge(amount, now);
  return true;
}

}  // namespace wsproxy::proxy
