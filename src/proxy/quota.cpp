#include "proxy/quota.hpp"

#include <algorithm>

#include "proxy/address_key.hpp"

namespace wsproxy::proxy {

namespace {

bool is_reached_alike(const config::Upstream& a, const config::Upstream& b) {
  return a.url == b.url && a.tls == b.tls && a.proxy_protocol == b.proxy_protocol;
}

}  // namespace

bool App::is(const config::Upstream& upstream, std::size_t number) const {
  return is_reached_alike(upstream_, upstream) && number_ == number;
}

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
  const std::uint32_t most = per_address_;
  if (most == 0) return Entry::uncounted;  // since a moment ago
  std::uint32_t& count = addresses_[key];
  if (count >= most) return Entry::refused;
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
  std::vector<const config::Upstream*> different;
  std::vector<AppPtr> apps;
  const auto add = [&](const config::Upstream& upstream) {
    const auto is_same = [&](const config::Upstream* other) { return *other == upstream; };
    const auto same = std::ranges::find_if(different, is_same);
    const auto number = static_cast<std::size_t>(std::count_if(
        different.begin(), same, [&](const auto* other) { return is_reached_alike(*other, upstream); }));
    if (same == different.end()) different.push_back(&upstream);
    apps.push_back(app_of(upstream, number));
  };
  add(config.upstream);
  for (const config::Route& route : config.routes) add(route.upstream);
  return apps;
}

AppPtr Quota::app_of(const config::Upstream& upstream, std::size_t number) {
  for (const auto& known : apps_) {
    AppPtr app = known.lock();
    if (app && app->is(upstream, number)) return app;
  }
  auto app = std::make_shared<App>(upstream, number);
  apps_.push_back(app);
  return app;
}

bool Quota::enter_app(App& app, std::uint32_t most) {
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
