#include "support/manual_clock.hpp"

namespace wsproxy {

namespace {
net::Clock::time_point now = std::chrono::steady_clock::now();
}

net::Clock::time_point net::Clock::now() noexcept {
  return wsproxy::now;
}

void test::pass(net::IoContext& io, net::Clock::duration time) {
  now += time;
  // The loop sleeps on the kernel's clock; a timer that is due before all others makes it look at them.
  bool is_awake = false;
  net::Timer waker(io.get_executor(), net::Clock::time_point::min());
  waker.async_wait([&is_awake](const net::error_code&) { is_awake = true; });
  io.restart();  // it may have had nothing left to do
  while (!is_awake) io.poll();
  while (io.poll() > 0) {
  }
}

}  // namespace wsproxy
