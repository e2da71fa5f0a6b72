#include "server/drain.hpp"

#include <stdexcept>

#include <catch2/catch.hpp>

#include "support/kept_log.hpp"
#include "support/manual_clock.hpp"

namespace wsproxy::server {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;

/// A process whose connections are a number of the test's.
struct Bench {
  net::IoContext io;
  test::KeptLog log;
  std::size_t connections;
  bool accepts = true;
  std::optional<net::Clock::duration> spread;
  int cuts = 0;
  std::optional<Drain::Outcome> outcome;
  Drain drain{io,
              log.log(),
              {.connections = [this] { return connections; },
               .stop_accepting = [this] { accepts = false; },
               .close_connections =
                   [this](net::Clock::duration over, net::Clock::time_point) {
                     maybe_fail();
                     spread = over;
                   },
               .cut_connections =
                   [this] {
                     maybe_fail();
                     ++cuts;
                   }}};
  int failures = 0;

  void maybe_fail() {
    if (failures == 0) return;
    --failures;
    throw std::runtime_error("out of memory");
  }

  explicit Bench(std::size_t open) : connections(open) {}
  void begin(config::Duration delay, config::Duration over, config::Duration timeout) {
    drain.begin({delay, over, timeout, 1001}, 1s);
    drain.when_drained([this](const Drain::Outcome& how) { outcome = how; });
  }
  void pass(net::Clock::duration time) {
    test::pass(io, 0s);
    test::pass(io, time);
  }
};

TEST_CASE("without connections a drain is over at once", "[drain]") {
  Bench bench(0);
  CHECK(bench.drain.state() == Drain::State::serving);
  CHECK_FALSE(bench.drain.progress());
  bench.begin(0s, 5s, 25s);
  bench.pass(0s);
  CHECK(bench.drain.state() == Drain::State::drained);
  CHECK_FALSE(bench.accepts);
  REQUIRE(bench.outcome);
  CHECK(bench.outcome->closed == 0);
  CHECK(bench.outcome->cut == 0);
}

TEST_CASE("during the delay it accepts, then close frames go out over the spread", "[drain]") {
  Bench bench(3);
  bench.begin(4s, 5s, 25s);
  REQUIRE(bench.drain.progress());
  CHECK(bench.drain.progress()->at_start == 3);
  CHECK(bench.drain.progress()->ends - bench.drain.progress()->since == 25s);
  bench.pass(3999ms);
  CHECK(bench.drain.state() == Drain::State::draining);
  CHECK(bench.accepts);
  CHECK_FALSE(bench.spread);
  bench.connections = 4;
  bench.pass(1ms);
  CHECK(bench.drain.state() == Drain::State::closing);
  CHECK_FALSE(bench.accepts);
  CHECK(bench.spread == 5s);
  bench.pass(3s);
  CHECK_FALSE(bench.outcome);
  bench.connections = 0;
  bench.pass(20ms);
  CHECK(bench.drain.state() == Drain::State::drained);
  REQUIRE(bench.outcome);
  CHECK(bench.outcome->closed == 4);
  CHECK(bench.outcome->took == 7020ms);
  CHECK(bench.cuts == 0);
}

TEST_CASE("the spread leaves the last one time for its answer before the timeout", "[drain]") {
  Bench bench(1);
  bench.begin(2s, 50s, 10s);
  bench.pass(2s);
  CHECK(bench.spread == 7s);
}

TEST_CASE("a delay longer than the timeout leaves no spread", "[drain]") {
  Bench bench(1);
  bench.begin(20s, 5s, 10s);
  bench.pass(10s);
  CHECK(bench.spread == 0s);
  CHECK(bench.cuts == 1);
}

TEST_CASE("what is left at the timeout is cut, once, and counted", "[drain]") {
  Bench bench(5);
  bench.begin(0s, 1s, 10s);
  bench.pass(9s);
  bench.connections = 2;
  bench.pass(999ms);
  CHECK(bench.cuts == 0);
  bench.pass(1ms);
  CHECK(bench.cuts == 1);
  CHECK_FALSE(bench.outcome);
  bench.pass(100ms);
  CHECK(bench.cuts == 1);
  bench.connections = 0;
  bench.pass(20ms);
  REQUIRE(bench.outcome);
  CHECK(bench.outcome->closed == 3);
  CHECK(bench.outcome->cut == 2);
  CHECK_THAT(bench.log.lines(), Contains("drain.timeout is over") && Contains("cut=2"));
}

TEST_CASE("what fails in a drain is tried again, and the drain ends", "[drain]") {
  Bench bench(2);
  bench.failures = 3;
  bench.begin(1s, 0s, 2s);
  const auto pass = [&bench](net::Clock::duration time) {
    for (; time > 0s; time -= 20ms) {
      try {
        bench.pass(20ms);
      } catch (const std::runtime_error&) {
        // as Server::run() goes on
      }
    }
  };
  pass(1s);
  CHECK_FALSE(bench.spread);
  pass(100ms);
  CHECK(bench.spread == 0s);
  bench.failures = 1;
  pass(900ms);
  CHECK(bench.cuts == 0);
  pass(40ms);
  CHECK(bench.cuts == 1);
  bench.connections = 0;
  pass(40ms);
  CHECK(bench.outcome);
}

TEST_CASE("one that cannot be cut does not hold the end for longer than a second", "[drain]") {
  Bench bench(1);
  bench.begin(0s, 0s, 2s);
  bench.pass(2s);
  bench.pass(980ms);
  CHECK_FALSE(bench.outcome);
  bench.pass(20ms);
  CHECK(bench.outcome);
}

TEST_CASE("a second begin changes nothing, and who waits later is told at once", "[drain]") {
  Bench bench(1);
  bench.begin(1s, 5s, 25s);
  bench.drain.begin({0s, 0s, 0s, 1001}, 1s);
  int told = 0;
  bench.drain.when_drained([&told](const Drain::Outcome&) { ++told; });
  bench.pass(500ms);
  CHECK(bench.drain.state() == Drain::State::draining);
  bench.connections = 0;
  bench.pass(500ms);
  CHECK(told == 1);
  bench.drain.when_drained([&told](const Drain::Outcome& how) { told += how.cut == 0 ? 1 : 100; });
  CHECK(told == 2);
}

TEST_CASE("the log tells the start, how it goes every five seconds, and the end", "[drain]") {
  Bench bench(7);
  bench.begin(0s, 20s, 25s);
  for (int i = 0; i < 11; ++i) bench.pass(1s);
  bench.connections = 0;
  bench.pass(20ms);
  const std::string& lines = bench.log.lines();
  CHECK_THAT(lines, Contains(" draining connections=7 delay_seconds=0 spread_seconds=20 timeout_seconds=25"));
  CHECK_THAT(lines, Contains("still draining connections=7 seconds=5"));
  CHECK_THAT(lines, Contains("still draining connections=7 seconds=10"));
  CHECK_THAT(lines, Contains(" drained closed=7 cut=0 seconds=11.02"));
}

}  // namespace
}  // namespace wsproxy::server
