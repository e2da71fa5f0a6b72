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
  net::Timer waker(io.get_executor(), net::Clock::time_point::min());
  waker.async_wait([](const net::error_code&) {});
  for (int i = 0; i < 4; ++i) io.poll();
}

}  // namespace wsproxy
