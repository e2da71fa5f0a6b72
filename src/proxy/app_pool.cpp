#include "proxy/app_pool.hpp"

#include <chrono>
#include <utility>

namespace wsproxy::proxy {

namespace {

constexpr std::size_t kMostIdle = 64;  // of all apps together
/// With the time to the next housekeeping shorter than any usual keep-alive time of an app (Node and
/// uvicorn: 5 s), so that it is seldom the app that closes first.
constexpr auto kLongestIdle = std::chrono::milliseconds{2500};

bool is_quiet(net::Transport& transport) {
  std::byte unasked{};
  return transport.read_some({&unasked, 1}).status == net::IoStatus::would_block;
}

}  // namespace

std::unique_ptr<net::Transport> AppPool::take(const AppPtr& app) {
  const auto now = net::Clock::now();
  for (auto place = idle_.begin(); place != idle_.end();) {
    if (place->app != app || place->until <= now) {
      ++place;
      continue;
    }
    std::unique_ptr<net::Transport> transport = std::move(place->transport);
    place = idle_.erase(place);
    // The loop may not have had its turn since the app hung up, or said what nobody asked for.
    if (is_quiet(*transport)) return transport;
  }
  return nullptr;
}

void AppPool::put(AppPtr app, std::unique_ptr<net::Transport> transport) {
  idle_.push_front({std::move(app), net::Clock::now() + kLongestIdle, std::move(transport)});
  const auto place = idle_.begin();
  place->transport->set_on_ready([this, place](net::Transport::Ready) { on_readable(place); });
  place->transport->wait_readable();
  if (idle_.size() > kMostIdle) idle_.pop_back();
}

void AppPool::keep_house() {
  const auto now = net::Clock::now();
  while (!idle_.empty() && idle_.back().until <= now) idle_.pop_back();
}

void AppPool::on_readable(std::list<Idle>::iterator place) {
  if (is_quiet(*place->transport)) {
    place->transport->wait_readable();
  } else {
    idle_.erase(place);
  }
}

}  // namespace wsproxy::proxy
