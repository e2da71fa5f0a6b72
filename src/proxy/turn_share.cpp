#include "proxy/turn_share.hpp"

#include <algorithm>

namespace wsproxy::proxy {

relay::Allowance TurnShare::of(relay::Allowance given) const {
  given.messages = std::min<std::int64_t>(given.messages, count_);
  given.control_frames = std::min<std::int64_t>(given.control_frames, count_);
  return given;
}

void TurnShare::on_taken(std::int64_t count, Duration took) {
  if (took > kLength) {
    // One is always taken, or nothing would ever go on.
    count_ = static_cast<std::int32_t>(std::clamp<std::int64_t>(count * kLength / took, 1, kMost));
  } else if (count >= count_) {
    count_ = std::min(2 * count_, kMost);
  }
}

}  // namespace wsproxy::proxy
