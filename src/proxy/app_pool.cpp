#include "proxy/app_pool.hpp"

#include <algorithm>
#include <chrono>

#include <boost/asio/post.hpp>

namespace wsproxy::proxy {

namespace {

constexpr std::size_t kMostIdle = 64;
/// With the time to the next housekeeping shorter than any usual keep-alive time of an app (Node and
/// uvicorn: 5 s), so that it is seldom the app that closes first.
constexpr auto kLongestIdle = std::chrono::milliseconds{2500};

}  // namespace

std::unique_ptr<net::Transport> AppPool::take(std::size_t app) {
  const auto now = net::Clock::now();
  const auto place =
      std::ranges::find_if(idle_, [&](const Idle& one) { return one.app == app && now < one.until; });
  if (place == idle_.end()) return nullptr;
  std::unique_ptr<net::Transport> transport = std::move(place->transport);
  idle_.erase(place);
  return transport;
}

void AppPool::put(std::size_t app, std::unique_ptr<net::Transport> transport) {
  idle_.push_front({app, net::Clock::now() + kLongestIdle, std::move(transport)});
  const auto place = idle_.begin();
  place->transport->set_on_ready([this, place](net::Transport::Ready) { on_readable(place); });
  place->transport->wait_readable();
  if (idle_.size() > kMostIdle) drop(std::prev(idle_.end()));
}

void AppPool::keep_house() {
  const auto now = net::Clock::now();
  while (!idle_.empty() && idle_.back().until <= now) drop(std::prev(idle_.end()));
}

void AppPool::on_readable(std::list<Idle>::iterator place) {
  std::byte unasked{};
  if (place->transport->read_some({&unasked, 1}).status == net::IoStatus::would_block) {
    place->transport->wait_readable();
  } else {
    drop(place);
  }
}

void AppPool::drop(std::list<Idle>::iterator place) {
  place->transport->close();
  // It may be the caller: destroyed when that call has returned.
  boost::asio::post(io_, [old = std::move(place->transport)] {});
  idle_.erase(place);
}

}  // namespace wsproxy::proxy
