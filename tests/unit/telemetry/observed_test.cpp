#include "telemetry/observed.hpp"

#include <string>

#include <catch2/catch.hpp>

using namespace wsproxy::telemetry;

namespace {

/// A thousand messages of 100 bytes that became 25, at 5 microseconds each; ten thousand of 200 bytes were
/// seen.
ObservedCounters some() {
  ObservedCounters observed;
  observed.trials[4] = {1000, 100'000, 25'000, 5'000'000};
  observed.seen_messages = 10'000;
  observed.seen_bytes = 2'000'000;
  observed.broadcasts = 4000;
  return observed;
}

}  // namespace

TEST_CASE("the trial nearest to a setting has its row of levels and its column of reaches") {
  const std::string levels[] = {"", "1", "1", "1", "6", "6", "6", "9", "9", "9"};
  const std::pair<std::size_t, std::string> reaches[] = {{0, "none"},   {1, "4k"},      {4096, "4k"},
                                                         {16383, "4k"}, {16384, "32k"}, {32768, "32k"}};
  for (std::uint8_t level = 1; level <= 9; ++level) {
    for (const auto& [reach, name] : reaches) {
      CAPTURE(int{level}, reach);
      CHECK(kTrialNames.at(nearest_trial(level, reach)) == "level" + levels[level] + "_" + name);
    }
  }
}

TEST_CASE("one trial speaks for all messages that were seen, and a broadcast is compressed once") {
  const auto savings = observed_savings(some(), 4);
  REQUIRE(savings);
  CHECK(savings->messages == 10'000);
  CHECK(savings->input_bytes == 2'000'000);
  CHECK(savings->output_bytes == 500'000);
  CHECK(savings->saved_bytes == 1'500'000);
  CHECK(savings->compress_seconds == Approx(0.03));
}

TEST_CASE("what grows saves nothing, and no less") {
  ObservedCounters observed = some();
  observed.trials[4].output_bytes = 110'000;
  const auto savings = observed_savings(observed, 4);
  REQUIRE(savings);
  CHECK(savings->output_bytes == 2'200'000);
  CHECK(savings->saved_bytes == 0);
}

TEST_CASE("a trial that was not made, or on nothing, tells nothing") {
  CHECK_FALSE(observed_savings(some(), 3));
  ObservedCounters only_empty_messages = some();
  only_empty_messages.trials[4] = {1000, 0, 0, 5'000'000};
  CHECK_FALSE(observed_savings(only_empty_messages, 4));
  ObservedCounters before_any_was_seen = some();
  before_any_was_seen.seen_messages = 0;
  CHECK_FALSE(observed_savings(before_any_was_seen, 4));
}

TEST_CASE("what workers have observed is added up") {
  ObservedCounters one = some();
  one.bypassed[2] = 7;
  one.spent_ns = 11;
  ObservedCounters other = some();
  other.trials[8] = {1, 2, 3, 4};
  other.bypassed[2] = 5;
  other.spent_ns = 2;
  one += other;
  CHECK(one.trials[4].messages == 2000);
  CHECK(one.trials[4].input_bytes == 200'000);
  CHECK(one.trials[4].output_bytes == 50'000);
  CHECK(one.trials[4].compress_ns == 10'000'000);
  CHECK(one.trials[8].output_bytes == 3);
  CHECK(one.seen_messages == 20'000);
  CHECK(one.seen_bytes == 4'000'000);
  CHECK(one.broadcasts == 8000);
  CHECK(one.bypassed[2] == 12);
  CHECK(one.spent_ns == 13);
}
