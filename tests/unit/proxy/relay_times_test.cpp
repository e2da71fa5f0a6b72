#include "proxy/relay_times.hpp"

#include <catch2/catch.hpp>

using namespace wsproxy;
using namespace std::chrono_literals;
using proxy::RelayTimes;
using Action = RelayTimes::Action;

namespace {

const RelayTimes::Time kStart{1000s};

config::Timeouts timeouts() {
  config::Timeouts timeouts;
  timeouts.ping_interval = 30s;
  timeouts.ping_timeout = 10s;
  timeouts.idle = 50s;
  timeouts.close = 5s;
  return timeouts;
}

}  // namespace

TEST_CASE(
    "The next time is the earliest of a ping, the drain and the end of a pause, and closing overrides") {
  RelayTimes times(timeouts(), kStart);
  CHECK(times.next(kStart) == kStart + 30s);
  times.drain_at(kStart + 20s, kStart + 30s);
  CHECK(times.next(kStart) == kStart + 20s);
  times.hold_back(kStart + 10s);
  CHECK(times.next(kStart) == kStart + 10s);
  times.begin_closing(kStart + 8s);
  CHECK(times.next(kStart) == kStart + 13s);
}

TEST_CASE(
    "A drain that is due waits for a moment that suits, as long as something moves, and not beyond its end") {
  RelayTimes times(timeouts(), kStart);
  times.drain_at(kStart + 2s, kStart + 9s);
  CHECK(times.next(kStart + 2s) == kStart + 2s);
  CHECK_FALSE(times.take_drain(kStart + 2s, false));
  CHECK(times.next(kStart + 2s) == kStart + 7s);
  CHECK_FALSE(times.take_drain(kStart + 7s - 1ns, false));
  times.extend_drain(kStart + 3s);
  CHECK(times.next(kStart + 3s) == kStart + 8s);
  times.extend_drain(kStart + 6s);
  CHECK(times.next(kStart + 6s) == kStart + 9s);
  CHECK_FALSE(times.take_drain(kStart + 9s - 1ns, false));
  CHECK(times.take_drain(kStart + 9s, false));
  CHECK_FALSE(times.take_drain(kStart + 10s, true));
}

TEST_CASE("A drain that nothing moves for is taken after timeouts.close") {
  RelayTimes times(timeouts(), kStart);
  times.drain_at(kStart + 2s, kStart + 90s);
  CHECK_FALSE(times.take_drain(kStart + 2s, false));
  CHECK(times.take_drain(kStart + 7s, false));
}

TEST_CASE("The drain is taken once, when it is time") {
  RelayTimes times(timeouts(), kStart);
  CHECK_FALSE(times.take_drain(kStart, true));
  times.drain_at(kStart + 20s, kStart + 30s);
  CHECK_FALSE(times.take_drain(kStart + 20s - 1ns, true));
  CHECK(times.take_drain(kStart + 20s, true));
  CHECK_FALSE(times.take_drain(kStart + 21s, true));
}

TEST_CASE("timeouts.close counts from the first word of the end, and anew while something is taken") {
  RelayTimes times(timeouts(), kStart);
  times.extend_closing(kStart);
  CHECK_FALSE(times.is_closing());
  times.begin_closing(kStart);
  times.begin_closing(kStart + 3s);
  CHECK_FALSE(times.is_closing_over(kStart + 5s - 1ns));
  CHECK(times.is_closing_over(kStart + 5s));
  times.extend_closing(kStart + 4s);
  CHECK_FALSE(times.is_closing_over(kStart + 9s - 1ns));
  CHECK(times.is_closing_over(kStart + 9s));
}

TEST_CASE(
    "A client that is held back is neither dead nor idle, and its time counts from when it is read again") {
  RelayTimes times(timeouts(), kStart);
  REQUIRE(times.check(kStart + 30s, false) == Action::ping);
  times.on_ping_sent(kStart + 30s);
  times.hold_back(kStart + 200s);
  CHECK(times.check(kStart + 100s, true) == Action::wait);
  times.let_go(kStart + 200s - 1ns);
  CHECK(times.is_holding_back());
  times.let_go(kStart + 200s);
  CHECK_FALSE(times.is_holding_back());
  CHECK(times.check(kStart + 200s, false) == Action::wait);
  CHECK(times.check(kStart + 230s - 1ns, false) == Action::wait);
  CHECK(times.check(kStart + 230s, false) == Action::ping);
  CHECK(times.check(kStart + 250s, false) == Action::idle);
}

TEST_CASE("A close frame that waits for a message gives a client that takes nothing of it timeouts.close") {
  RelayTimes times(timeouts(), kStart);
  CHECK_FALSE(times.is_client_stuck(kStart + 100s));
  times.drain_at(kStart, kStart + 60s);
  CHECK(times.take_drain(kStart, true));
  times.wait_for_client(kStart + 1s);
  times.wait_for_client(kStart + 3s);
  CHECK(times.next(kStart + 3s) == kStart + 6s);
  CHECK_FALSE(times.is_client_stuck(kStart + 6s - 1ns));
  times.extend_drain(kStart + 4s);
  CHECK_FALSE(times.is_client_stuck(kStart + 9s - 1ns));
  CHECK(times.is_client_stuck(kStart + 9s));
  times.end_wait();
  CHECK_FALSE(times.is_client_stuck(kStart + 100s));
  CHECK(times.next(kStart + 9s) == kStart + 30s);
}

TEST_CASE("A drain that is put off is no client that is stuck, and is not forgotten for one that takes all") {
  RelayTimes times(timeouts(), kStart);
  times.drain_at(kStart, kStart + 60s);
  CHECK_FALSE(times.take_drain(kStart, false));
  times.end_wait();
  CHECK(times.next(kStart) == kStart + 5s);
  CHECK_FALSE(times.is_client_stuck(kStart + 5s));
  CHECK(times.take_drain(kStart + 5s, false));
}
