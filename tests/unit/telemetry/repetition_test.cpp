#include "telemetry/repetition.hpp"

#include <initializer_list>
#include <string>

#include <catch2/catch.hpp>

using namespace wsproxy::telemetry;
using namespace std::chrono_literals;

namespace {

constexpr Repetition::Time kStart{1h};

bool admit(Repetition& repetition, std::string_view message, std::initializer_list<LogField> fields = {},
           Repetition::Time now = kStart, Level level = Level::warning) {
  return repetition.admit(level, message, std::span{fields.begin(), fields.size()}, now);
}

}  // namespace

TEST_CASE("so many lines of a window are written and the rest is counted") {
  Repetition repetition({3, 10s});
  for (int i = 0; i < 3; ++i) CHECK(admit(repetition, "m"));
  for (int i = 0; i < 5; ++i) CHECK_FALSE(admit(repetition, "m"));
  CHECK(repetition.take_ended(kStart + 10s - 1ns).empty());
  CHECK_FALSE(admit(repetition, "m", {}, kStart + 10s - 1ns));
  const auto ended = repetition.take_ended(kStart + 10s);
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].level == Level::warning);
  CHECK(ended[0].message == "m");
  CHECK(ended[0].count == 6);
  CHECK(admit(repetition, "m", {}, kStart + 10s));
}

TEST_CASE("a window begins with its first line, and one that left out nothing ends without a word") {
  Repetition repetition({1, 10s});
  CHECK(admit(repetition, "m"));
  CHECK(repetition.take_ended(kStart + 10s).empty());
  CHECK(admit(repetition, "m", {}, kStart + 15s));
  CHECK_FALSE(admit(repetition, "m", {}, kStart + 25s - 1ns));
  CHECK(repetition.take_ended(kStart + 25s - 1ns).empty());
  CHECK(repetition.take_ended(kStart + 25s).size() == 1);
}

TEST_CASE("level, message and what tells why make a kind; who it was does not") {
  Repetition repetition({1, 10s});
  CHECK(admit(repetition, "m", {{"reason", "a"}, {"client", "192.0.2.1:1"}}));
  CHECK_FALSE(admit(repetition, "m", {{"reason", "a"}, {"client", "192.0.2.2:2"}}));
  CHECK(admit(repetition, "m", {{"reason", "b"}}));
  CHECK(admit(repetition, "m", {{"problem", "a"}}));
  CHECK(admit(repetition, "m", {{"reason", "a"}, {"upstream", "ws://other"}}));
  CHECK(admit(repetition, "m"));
  CHECK(admit(repetition, "other", {{"reason", "a"}}));
  CHECK(admit(repetition, "m", {{"reason", "a"}}, kStart, Level::error));
  const auto rest = repetition.take_all();
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].fields == std::vector<std::pair<std::string, std::string>>{{"reason", "a"}});
}

TEST_CASE("of a long value the beginning counts") {
  Repetition repetition({1, 10s});
  const std::string same(Repetition::kMaxFieldBytes, 'x');
  CHECK(admit(repetition, "m", {{"reason", same + "a"}}));
  CHECK_FALSE(admit(repetition, "m", {{"reason", same + "b"}}));
  CHECK(admit(repetition, "m", {{"reason", same.substr(1) + "b"}}));
}

TEST_CASE("kinds that are too many to tell apart share one window") {
  Repetition repetition({2, 10s});
  for (std::size_t i = 0; i < Repetition::kMaxKinds; ++i) CHECK(admit(repetition, std::to_string(i)));
  CHECK(admit(repetition, "one more"));
  CHECK(admit(repetition, "and one"));
  for (int i = 0; i < 1000; ++i) CHECK_FALSE(admit(repetition, "new " + std::to_string(i)));
  CHECK(admit(repetition, "0"));
  const auto rest = repetition.take_all();
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].message == Repetition::kOtherLines);
  CHECK(rest[0].count == 1000);
}

TEST_CASE("access lines, debugging and what the proxy itself tells at info are never limited") {
  Repetition repetition({1, 10s});
  for (int i = 0; i < 3; ++i) {
    CHECK(admit(repetition, "access", {}, kStart, Level::info));
    CHECK(admit(repetition, "certificate in use", {}, kStart, Level::info));
    CHECK(admit(repetition, "m", {}, kStart, Level::debug));
  }
  for (const char* message :
       {"protocol error", "rate limit", "request refused", "PROXY protocol header refused"}) {
    CHECK(admit(repetition, message, {}, kStart, Level::info));
    CHECK_FALSE(admit(repetition, message, {}, kStart, Level::info));
  }
}

TEST_CASE("without a limit all lines are written") {
  Repetition repetition({0, 10s});
  for (int i = 0; i < 100; ++i) CHECK(admit(repetition, "m"));
  CHECK(repetition.take_all().empty());
}
