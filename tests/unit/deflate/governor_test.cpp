#include "deflate/governor.hpp"

#include <vector>

#include <catch2/catch.hpp>

using wsproxy::deflate::Governor;

namespace {

constexpr double kBusy = 0.86;
constexpr double kCalm = 0.59;
constexpr double kBetween = 0.7;

/// The cap after each of so many rounds.
std::vector<int> caps(Governor& governor, double utilisation, int rounds) {
  std::vector<int> seen;
  for (int i = 0; i < rounds; ++i) {
    const int before = governor.cap();
    const bool moved = governor.observe(utilisation);
    seen.push_back(governor.cap());
    CHECK(moved == (governor.cap() != before));
  }
  return seen;
}

void observe(Governor& governor, double utilisation, int rounds) {
  for (int i = 0; i < rounds; ++i) governor.observe(utilisation);
}

}  // namespace

TEST_CASE("two busy rounds in a row are a step down, as far as the fastest level") {
  Governor governor(9);
  CHECK(caps(governor, kBusy, 9) == std::vector{9, 6, 6, 3, 3, 1, 1, 1, 1});
}

TEST_CASE("five calm rounds in a row are a step up, never above what is configured") {
  Governor governor(7);
  observe(governor, kBusy, 6);
  REQUIRE(governor.cap() == 1);
  CHECK(caps(governor, kCalm, 20) == std::vector{1, 1, 1, 1, 3, 3, 3, 3, 3, 6, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7});
}

TEST_CASE("the first step down from any level is one that matters there") {
  const std::vector<int> after{1, 1, 1, 3, 3, 3, 6, 6, 6};
  for (std::uint8_t level = 1; level <= 9; ++level) {
    CAPTURE(int{level});
    Governor governor(level);
    observe(governor, 1, 2);
    CHECK(int{governor.cap()} == after.at(level - 1U));
    observe(governor, 0, 100);
    CHECK(governor.cap() == level);
  }
}

TEST_CASE("a single busy round, or busy ones with others between, change nothing") {
  Governor governor(6);
  for (int i = 0; i < 50; ++i) {
    CHECK_FALSE(governor.observe(1));
    CHECK_FALSE(governor.observe(i % 2 == 0 ? kBetween : kCalm));
  }
}

TEST_CASE("between the two thresholds the level stays as it is") {
  Governor governor(6);
  observe(governor, Governor::kBusy, 100);
  CHECK(governor.cap() == 6);
  observe(governor, kBusy, 2);
  observe(governor, Governor::kCalm, 100);
  CHECK(governor.cap() == 3);
  observe(governor, kCalm, 4);
  observe(governor, kBetween, 1);
  observe(governor, kCalm, 4);
  CHECK(governor.cap() == 3);
}

TEST_CASE("a step up that is soon taken back makes the next one wait twice as long") {
  Governor governor(6);
  const auto rounds_until_raised = [&governor] {
    int rounds = 1;
    while (!governor.observe(kCalm)) ++rounds;
    return rounds;
  };
  observe(governor, kBusy, 2);
  CHECK(rounds_until_raised() == 5);
  for (const int expected : {10, 20, 40, 80, 80}) {
    observe(governor, kBusy, 2);
    CHECK(rounds_until_raised() == expected);
  }
  // It has proved itself by now, so what comes is another load.
  observe(governor, kBetween, 20);
  observe(governor, kBusy, 2);
  CHECK(rounds_until_raised() == 5);
}

TEST_CASE("levels below the cap stay what they are") {
  Governor governor(9);
  CHECK(governor.level(4) == 4);
  observe(governor, 1, 4);
  CHECK(governor.level(9) == 3);
  CHECK(governor.level(2) == 2);
}

TEST_CASE("where no level may be lowered none is") {
  Governor governor(1);
  CHECK(caps(governor, 1, 4) == std::vector{1, 1, 1, 1});
}

TEST_CASE("the CPU is short from two busy rounds on until five are calm, whatever the level may do") {
  for (const std::uint8_t highest : {std::uint8_t{1}, std::uint8_t{9}}) {
    CAPTURE(int{highest});
    Governor governor(highest);
    CHECK_FALSE(governor.is_cpu_short());
    governor.observe(kBusy);
    CHECK_FALSE(governor.is_cpu_short());
    governor.observe(kBusy);
    CHECK(governor.is_cpu_short());
    observe(governor, kBetween, 50);
    CHECK(governor.is_cpu_short());
    observe(governor, kCalm, 4);
    CHECK(governor.is_cpu_short());
    governor.observe(kCalm);
    CHECK_FALSE(governor.is_cpu_short());
  }
}

TEST_CASE("the CPU is short as long as the level is lowered for it") {
  Governor governor(9);
  observe(governor, kBusy, 4);
  observe(governor, kCalm, 5);
  REQUIRE(governor.cap() == 6);
  CHECK(governor.is_cpu_short());
  observe(governor, kCalm, 5);
  REQUIRE(governor.cap() == 9);
  CHECK_FALSE(governor.is_cpu_short());
}
