#include "proxy/handshake_rates.hpp"

namespace wsproxy::proxy {

namespace {
/// The time in which any bucket fills: its burst is what the rate brings in that time.
constexpr std::chrono::seconds kFills{1};
/// More than can be added by one call, so that what has piled up goes away again.
constexpr int kForgottenAtOnce = 2;
}  // namespace

bool HandshakeRates::try_one(const std::string& key, Clock::time_point now) {
  if (is_off() || key.empty()) return true;
  const auto address = find_or_add(key, now);
  address->last_try = now;
  addresses_.splice(addresses_.begin(), addresses_, address);
  forget_the_silent(now);
  return address->bucket.try_take(1, now);
}

HandshakeRates::Addresses::iterator HandshakeRates::find_or_add(const std::string& key,
                                                                Clock::time_point now) {
  const auto known = index_.find(key);
  if (known != index_.end()) return known->second;
  if (index_.size() >= most_addresses_) forget_oldest();
  addresses_.push_front({key, TokenBucket{per_second_, per_second_ * kFills.count(), now}, now});
  index_.emplace(addresses_.front().key, addresses_.begin());
  return addresses_.begin();
}

void HandshakeRates::forget_the_silent(Clock::time_point now) {
  for (int i = 0; i < kForgottenAtOnce; ++i) {
    // The first one has just tried.
    if (addresses_.size() <= 1 || now - addresses_.back().last_try < kFills) return;
    forget_oldest();
  }
}

void HandshakeRates::forget_oldest() {
  index_.erase(addresses_.back().key);
  addresses_.pop_back();
}

}  // namespace wsproxy::proxy
