#include "server/thread_load.hpp"

#include <ctime>

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using wsproxy::net::Clock;
using wsproxy::server::cpu_time_wanted;
using wsproxy::server::parse_schedstat;
using wsproxy::server::ThreadLoad;

TEST_CASE("What a thread wants of a CPU is its time on one and its time waiting for one") {
  CHECK(parse_schedstat("1000 234 5\n") == 1234ns);
}

TEST_CASE("A kernel that keeps no such statistics says 0 0 0, and the time on a CPU has to do") {
  CHECK_FALSE(parse_schedstat("0 0 0\n"));
}

TEST_CASE("Statistics that cannot be read are none") {
  for (const char* text : {"", "1000", "1000 234", "x 234 5", "1000 x 5", "-1 2 3", " 1 2 3"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_schedstat(text));
  }
}

TEST_CASE("A thread's load is told for the time between two calls") {
  ThreadLoad load;
  const Clock::time_point start = Clock::now();
  CHECK(load.observe(7s, start) == 0);
  CHECK(load.observe(7250ms, start + 1s) == Approx(0.25));
  CHECK(load.observe(7250ms, start + 2s) == 0);
  CHECK(load.observe(9150ms, start + 4s) == Approx(0.95));
}

TEST_CASE("A load is never under 0 or over 1, whatever the clocks say") {
  ThreadLoad load;
  const Clock::time_point start = Clock::now();
  load.observe(1s, start);
  CHECK(load.observe(3s, start + 1s) == 1);
  CHECK(load.observe(2s, start + 2s) == 0);
  CHECK(load.observe(3s, start + 2s) == 0);
}

TEST_CASE("Of a thread that works it is at least the time it spends on a CPU") {
  const auto cpu = [] { return std::chrono::microseconds{std::clock() * 1'000'000 / CLOCKS_PER_SEC}; };
  const auto wanted = cpu_time_wanted();
  const auto start = cpu();
  while (cpu() - start < 60ms) {
  }
  CHECK(cpu_time_wanted() - wanted > 40ms);  // the kernel brings it up to date every few milliseconds
}
