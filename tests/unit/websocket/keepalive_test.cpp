#include "websocket/keepalive.hpp"

#include <catch2/catch.hpp>

using wsproxy::websocket::Keepalive;
using namespace std::chrono_literals;
using Action = Keepalive::Action;

namespace {
const Keepalive::Limits kPings{30s, 10s, 0ms};
const Keepalive::Time kStart{};
}  // namespace

TEST_CASE("A client that was silent for the interval is pinged, one that speaks is not") {
  Keepalive keepalive(kPings, kStart);
  CHECK(keepalive.next_check(kStart) == kStart + 30s);
  CHECK(keepalive.check(kStart + 29s, false) == Action::wait);
  keepalive.on_heard(kStart + 20s);
  CHECK(keepalive.check(kStart + 30s, false) == Action::wait);
  CHECK(keepalive.next_check(kStart + 30s) == kStart + 50s);
  CHECK(keepalive.check(kStart + 50s, false) == Action::ping);
}

TEST_CASE("A ping unanswered for the timeout is a dead client; any sign of life is an answer") {
  Keepalive keepalive(kPings, kStart);
  REQUIRE(keepalive.check(kStart + 30s, false) == Action::ping);
  keepalive.on_ping_sent(kStart + 30s);
  CHECK(keepalive.next_check(kStart + 30s) == kStart + 40s);
  CHECK(keepalive.check(kStart + 39s, false) == Action::wait);
  SECTION("silence") {
    CHECK(keepalive.check(kStart + 40s, false) == Action::dead);
  }
  SECTION("an answer") {
    keepalive.on_heard(kStart + 31s);
    CHECK(keepalive.check(kStart + 40s, false) == Action::wait);
    CHECK(keepalive.next_check(kStart + 40s) == kStart + 61s);
  }
  SECTION("not listened to: silence proves nothing") {
    CHECK(keepalive.check(kStart + 40s, true) == Action::wait);
    CHECK(keepalive.next_check(kStart + 40s) == kStart + 70s);
  }
}

TEST_CASE("A connection without data for the idle time ends, pings or not") {
  const Keepalive::Limits limits{1s, 1s, 5s};
  Keepalive keepalive(limits, kStart);
  keepalive.on_heard(kStart + 4500ms);
  CHECK(keepalive.check(kStart + 5s, false) == Action::idle);
  keepalive.on_data(kStart + 3s);
  CHECK(keepalive.check(kStart + 5s, false) == Action::wait);
  CHECK(keepalive.check(kStart + 8s, false) == Action::idle);
}

TEST_CASE("With all limits 0 nothing is ever due") {
  const Keepalive::Limits none;
  Keepalive keepalive(none, kStart);
  CHECK(keepalive.check(kStart + 10000h, false) == Action::wait);
  CHECK(keepalive.next_check(kStart) == Keepalive::Time::max());
}
