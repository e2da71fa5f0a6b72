#include "proxy/relay_times.hpp"

#include <algorithm>

namespace wsproxy::proxy {

RelayTimes::RelayTimes(const config::Timeouts& timeouts, Time now)
    : limits_{timeouts.ping_interval, timeouts.ping_timeout, timeouts.idle},
      close_(timeouts.close),
      keepalive_(limits_, now) {
}

RelayTimes::Time RelayTimes::next(Time now) const {
  if (is_closing()) return close_by_;
  const Time drain = patience_until_ != Time::max() ? patience_until_ : drain_at_;
  return std::min({keepalive_.next_check(now), drain, held_until_});
}

RelayTimes::Action RelayTimes::check(Time now, bool is_deaf) {
  if (is_holding_back()) {
    on_heard(now);
    on_data(now);
  }
  return keepalive_.check(now, is_deaf);
}

void RelayTimes::let_go(Time now) {
  if (now < held_until_) return;
  held_until_ = Time::max();
  on_heard(now);
  on_data(now);
}

void RelayTimes::drain_at(Time when, Time latest) {
  drain_at_ = when;
  drain_latest_ = latest;
}

bool RelayTimes::take_drain(Time now, bool suits) {
  if (now < drain_at_) return false;
  if (patience_until_ == Time::max()) patience_until_ = std::min<Time>(now + close_, drain_latest_);
  if (!suits && now < patience_until_) return false;
  patience_until_ = Time::max();
  drain_at_ = Time::max();
  return true;
}

void RelayTimes::extend_drain(Time now) {
  if (patience_until_ != Time::max()) patience_until_ = std::min<Time>(now + close_, drain_latest_);
}

void RelayTimes::wait_for_client(Time now) {
  if (is_drain_taken() && patience_until_ == Time::max()) {
    patience_until_ = std::min<Time>(now + close_, drain_latest_);
  }
}

void RelayTimes::end_wait() {
  if (is_drain_taken()) patience_until_ = Time::max();
}

void RelayTimes::begin_closing(Time now) {
  if (!is_closing()) close_by_ = now + close_;
}

void RelayTimes::extend_closing(Time now) {
  if (is_closing()) close_by_ = now + close_;
}

}  // namespace wsproxy::proxy
