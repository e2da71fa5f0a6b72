#include "proxy/quota.hpp"

#include <algorithm>

#include "proxy/address_key.hpp"

namespace wsproxy::proxy {

Quota::Quota(const config::Limits& limits)
    : per_address_(limits.max_connections_per_ip),
      handshakes_per_second_(limits.handshakes_per_second_per_ip),
      handshakes_(std::make_unique<HandshakeRates>(limits.handshakes_per_second_per_ip)) {
}

void Quota::set_limits(const config::Limits& limits) {
  const std::lock_guard lock{mutex_};
  per_address_ = limits.max_connections_per_ip;
  if (handshakes_per_second_ == limits.handshakes_per_second_per_ip) return;
  handshakes_per_second_ = limits.handshakes_per_second_per_ip;
  handshakes_ = std::make_unique<HandshakeRates>(limits.handshakes_per_second_per_ip);
}

Quota::Entry Quota::enter_address(const std::string& address) {
  if (per_address_ == 0) return Entry::uncounted;
  const std::string key = address_key(address);
  if (key.empty()) return Entry::uncounted;
  const std::lock_guard lock{mutex_};
  std::uint32_t& count = addresses_[key];
  if (count >= per_address_) return Entry::refused;
  ++count;
  return Entry::counted;
}

void Quota::leave_address(const std::string& address) {
  const std::lock_guard lock{mutex_};
  const auto entry = addresses_.find(address_key(address));
  if (entry != addresses_.end() && --entry->second == 0) addresses_.erase(entry);
}

bool Quota::try_handshake(const std::string& address, HandshakeRates::Clock::time_point now) {
  if (handshakes_per_second_ == 0) return true;
  const std::string key = address_key(address);
  const std::lock_guard lock{mutex_};
  return handshakes_->try_one(key, now);
}

std::vector<AppPtr> Quota::apps_of(const config::Config& config) {
  const std::lock_guard lock{mutex_};
  std::erase_if(apps_, [](const auto& app) { return app.expired(); });
  std::vector<AppPtr> apps{app_of(config.upstream)};
  for (const config::Route& route : config.routes) apps.push_back(app_of(route.upstream));
  return apps;
}

AppPtr Quota::app_of(const config::Upstream& upstream) {
  for (const auto& known : apps_) {
    AppPtr app = known.lock();
    if (app && app->upstream_ == upstream) return app;
  }
  auto app = std::make_shared<App>(upstream);
  apps_.push_back(app);
  return app;
}

bool Quota::enter_app(App& app) {
  const std::uint32_t most = app.upstream_.max_connections;
  const std::lock_guard lock{mutex_};
  if (most != 0 && app.taken_ >= most) return false;
  ++app.taken_;
  return true;
}

void Quota::leave_app(App& app) {
  const std::lock_guard lock{mutex_};
  --app.taken_;
}

}  // namespace wsproxy::proxy
