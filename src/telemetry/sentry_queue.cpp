#include "telemetry/sentry_queue.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace wsproxy::telemetry {

void SentryQueue::open(std::function<void()> on_more) {
  const std::lock_guard lock{mutex_};
  on_more_ = std::move(on_more);
}

void SentryQueue::close() {
  const std::lock_guard lock{mutex_};
  on_more_ = nullptr;
}

void SentryQueue::add(SentryEvent event, Time now) {
  const std::lock_guard lock{mutex_};
  if (!on_more_) return;
  if (!has_room(now)) {
    ++dropped_;
    return;
  }
  events_.push_back(std::move(event));
  try {
    on_more_();
  } catch (const std::exception&) {
    // Out of memory: it is sent with the next one, or at the end.
  }
}

std::optional<SentryEvent> SentryQueue::take() {
  const std::lock_guard lock{mutex_};
  if (events_.empty()) return std::nullopt;
  SentryEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

std::size_t SentryQueue::size() const {
  const std::lock_guard lock{mutex_};
  return events_.size();
}

std::uint64_t SentryQueue::take_dropped() {
  const std::lock_guard lock{mutex_};
  return std::exchange(dropped_, 0);
}

void SentryQueue::count_dropped(std::uint64_t events) {
  const std::lock_guard lock{mutex_};
  dropped_ += events;
}

bool SentryQueue::has_room(Time now) {
  const std::chrono::duration<double, std::ratio<60>> minutes = now - last_.value_or(now);
  allowance_ =
      std::min<double>(allowance_ + std::max(minutes.count(), 0.0) * kEventsPerMinute, kEventsPerMinute);
  last_ = now;
  if (events_.size() >= kMostEvents || allowance_ < 1) return false;
  allowance_ -= 1;
  return true;
}

}  // namespace wsproxy::telemetry
