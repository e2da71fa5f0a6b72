#include "proxy/quota.hpp"

#include <algorithm>

#include "proxy/address_key.hpp"

namespace wsproxy::proxy {

Quota::Quota(const config::Config& config)
    : per_address_(config.limits.max_connections_per_ip),
      handshakes_(config.limits.handshakes_per_second_per_ip) {
  std::vector<const config::Upstream*> different;
  const auto add = [&](const config::Upstream& upstream) {
    const auto same = std::ranges::find_if(different, [&](const auto* known) { return *known == upstream; });
    app_of_.push_back(static_cast<std::size_t>(same - different.begin()));
    if (same != different.end()) return;
    different.push_back(&upstream);
    apps_.push_back({upstream.max_connections, 0});
  };
  add(config.upstream);
  for (const config::Route& route : config.routes) add(route.upstream);
}

bool Quota::enter_address(const std::string& address) {
  if (per_address_ == 0) return true;
  const std::string key = address_key(address);
  if (key.empty()) return true;
  const std::lock_guard lock{mutex_};
  std::uint32_t& count = addresses_[key];
  if (count >= per_address_) return false;
  ++count;
  return true;
}

void Quota::leave_address(const std::string& address) {
  if (per_address_ == 0) return;
  const std::lock_guard lock{mutex_};
  const auto entry = addresses_.find(address_key(address));
  if (entry != addresses_.end() && --entry->second == 0) addresses_.erase(entry);
}

bool Quota::try_handshake(const std::string& address, HandshakeRates::Clock::time_point now) {
  if (handshakes_.is_off()) return true;
  const std::string key = address_key(address);
  const std::lock_guard lock{mutex_};
  return handshakes_.try_one(key, now);
}

bool Quota::enter_app(std::size_t number) {
  const std::lock_guard lock{mutex_};
  Places& places = apps_[app_of_[number]];
  if (places.most != 0 && places.taken >= places.most) return false;
  ++places.taken;
  return true;
}

void Quota::leave_app(std::size_t number) {
  const std::lock_guard lock{mutex_};
  --apps_[app_of_[number]].taken;
}

}  // namespace wsproxy::proxy
