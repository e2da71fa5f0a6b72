#include "deflate/governor.hpp"

#include <array>

namespace wsproxy::deflate {
namespace {

// Levels between these cost much the same: zlib searches less from 6 to 3, and no longer looks for a better
// match one byte on; ISA-L has one method for 1 to 3 and one for 4 to 6.
constexpr std::array<std::uint8_t, 4> kSteps{1, 3, 6, 9};

std::uint8_t step_below(std::uint8_t level) {
  const auto* const at = std::lower_bound(kSteps.begin(), kSteps.end(), level);
  return at == kSteps.begin() ? level : *(at - 1);
}

std::uint8_t step_above(std::uint8_t level) {
  const auto* const at = std::upper_bound(kSteps.begin(), kSteps.end(), level);
  return at == kSteps.end() ? level : *at;
}

}  // namespace

bool Governor::observe(double utilisation) {
  since_raise_ = std::min(since_raise_ + 1, kRegret);
  const bool is_busy = utilisation > kBusy;
  const bool is_calm = utilisation < kCalm;
  busy_rounds_ = is_busy ? busy_rounds_ + 1 : 0;
  calm_rounds_ = is_calm ? calm_rounds_ + 1 : 0;
  if (busy_rounds_ >= kBusyRounds) is_short_ = true;
  if (calm_rounds_ >= kCalmRounds) is_short_ = false;
  if (busy_rounds_ >= kBusyRounds) return lower();
  if (calm_rounds_ >= calm_needed_) return raise();
  return false;
}

bool Governor::lower() {
  busy_rounds_ = 0;
  const std::uint8_t lower = step_below(cap_);
  if (lower == cap_) return false;
  cap_ = lower;
  calm_needed_ = since_raise_ < kRegret ? std::min(calm_needed_ * 2, kMostCalmRounds) : kCalmRounds;
  return true;
}

bool Governor::raise() {
  calm_rounds_ = 0;
  if (cap_ == highest_) return false;
  cap_ = std::min(step_above(cap_), highest_);
  since_raise_ = 0;
  return true;
}

}  // namespace wsproxy::deflate
