#include "net/poller.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <boost/asio/post.hpp>
#include <system_error>

namespace wsproxy::net {

namespace {

constexpr int kAloneAtOnce = 4;

int new_epoll() {
  const int descriptor = ::epoll_create1(EPOLL_CLOEXEC);
  if (descriptor < 0) throw std::system_error(errno, std::system_category(), "cannot create an epoll");
  return descriptor;
}

}  // namespace

template <class Call>
void Poller::guard(Call&& call) {
  // An edge is reported once: whatever happens to one watch, the others must hear of theirs.
  try {
    call();
  } catch (...) {
    thrown_ = std::current_exception();
  }
}

Poller::Poller(IoContext& io) : io_(io), epoll_(io.get_executor(), new_epoll()) {
  wait();
}

error_code Poller::add(int descriptor, Watch& watch) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &watch;
  if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, descriptor, &event) == 0) return {};
  return {errno, boost::system::system_category()};
}

void Poller::remove(Watch& watch) {
  if (watch.is_linked()) watch.unlink();
  for (epoll_event& event : reported_) {
    if (event.data.ptr == &watch) event.data.ptr = nullptr;
  }
}

void Poller::call_soon(Watch& watch) {
  if (watch.is_linked()) return;
  if (soon_.empty()) boost::asio::post(io_, for_soon_.bind([this] { run_soon(); }));
  soon_.push_back(watch);
}

void Poller::stop() {
  error_code ignored;
  epoll_.close(ignored);
}

void Poller::call_alone(Watch& watch) {
  if (watch.is_linked()) return;
  alone_.push_back(watch);
  post_alone();
}

void Poller::post_alone() {
  if (alone_is_posted_) return;
  boost::asio::post(io_, for_alone_.bind([this] { run_alone(); }));
  alone_is_posted_ = true;
}

void Poller::wait() {
  epoll_.async_wait(asio::posix::descriptor_base::wait_read, for_wait_.bind([this](const error_code& error) {
    if (error) return;
    run_turn();
    if (epoll_.is_open()) wait();
    rethrow();
  }));
}

void Poller::run_turn() {
  // Under load the next events have come by the time these are told: looking again costs one system call,
  // going round through Asio three. Timers and what was posted wait for no more than a batch all the same,
  // and a single event is no load.
  std::size_t left = batch_.size();
  std::size_t count = 2;
  while (left > 0 && count > 1 && epoll_.is_open()) {
    count = collect(left);
    left -= count;
  }
}

std::size_t Poller::collect(std::size_t at_most) {
  const int found = ::epoll_wait(epoll_.native_handle(), batch_.data(), static_cast<int>(at_most), 0);
  const auto count = static_cast<std::size_t>(std::max(found, 0));
  reported_ = std::span{batch_}.first(count);
  while (!reported_.empty()) {
    const epoll_event event = reported_.front();
    reported_ = reported_.subspan(1);
    if (event.data.ptr == nullptr) continue;
    guard([&event] { static_cast<Watch*>(event.data.ptr)->on_events(event.events); });
  }
  return count;
}

void Poller::rethrow() {
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

void Poller::run_soon() {
  // What is asked for meanwhile belongs to the turn after this one.
  decltype(soon_) now;
  now.swap(soon_);
  while (!now.empty()) {
    Watch& watch = now.front();
    now.pop_front();
    guard([&watch] { watch.on_events(0); });
  }
  rethrow();
}

void Poller::run_alone() {
  // Who is ready is seen here between two of them; going round through Asio each time costs three system
  // calls more, and timers and what was posted may wait for a few.
  for (int left = kAloneAtOnce; left > 0; --left) {
    run_turn();
    if (alone_.empty()) break;
    Watch& watch = alone_.front();
    alone_.pop_front();
    guard([&watch] { watch.on_turn_alone(); });
    if (!soon_.empty()) break;
  }
  alone_is_posted_ = false;
  if (!alone_.empty()) post_alone();
  rethrow();
}

}  // namespace wsproxy::net
