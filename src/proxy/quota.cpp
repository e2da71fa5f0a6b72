#include "proxy/quota.hpp"

namespace wsproxy::proxy {

bool Quota::enter_address(const std::string& address) {
  if (per_address_ == 0 || address.empty()) return true;
  const std::lock_guard lock{mutex_};
  std::uint32_t& count = addresses_[address];
  if (count >= per_address_) return false;
  ++count;
  return true;
}

void Quota::leave_address(const std::string& address) {
  if (per_address_ == 0 || address.empty()) return;
  const std::lock_guard lock{mutex_};
  const auto entry = addresses_.find(address);
  if (entry != addresses_.end() && --entry->second == 0) addresses_.erase(entry);
}

bool Quota::enter_app() {
  const std::lock_guard lock{mutex_};
  if (to_app_ != 0 && app_connections_ >= to_app_) return false;
  ++app_connections_;
  return true;
}

void Quota::leave_app() {
  const std::lock_guard lock{mutex_};
  --app_connections_;
}

}  // namespace wsproxy::proxy
