#include "websocket/keepalive.hpp"

#include <algorithm>

namespace wsproxy::websocket {

Keepalive::Action Keepalive::check(Time now, bool is_deaf) {
  if (limits_->idle.count() > 0 && now >= data_ + limits_->idle) return Action::idle;
  if (limits_->ping_interval.count() == 0) return Action::wait;
  if (ping_pending_) {
    if (heard_ >= pinged_ || is_deaf) {
      ping_pending_ = false;
      if (is_deaf) heard_ = now;
    } else if (now >= pinged_ + limits_->ping_timeout) {
      return Action::dead;
    } else {
      return Action::wait;
    }
  }
  return now >= heard_ + limits_->ping_interval ? Action::ping : Action::wait;
}

Keepalive::Time Keepalive::next_check(Time now) const {
  Time next = Time::max();
  if (limits_->ping_interval.count() > 0) {
    next = ping_pending_ ? pinged_ + limits_->ping_timeout : heard_ + limits_->ping_interval;
  }
  if (limits_->idle.count() > 0) next = std::min(next, data_ + limits_->idle);
  // What is overdue is asked for soon and not at once, so that a check without effect cannot spin.
  return next <= now ? now + Duration{100} : next;
}

}  // namespace wsproxy::websocket
