#include "telemetry/level.hpp"

#include <catch2/catch.hpp>

using namespace wsproxy::telemetry;

TEST_CASE("levels are named as in the configuration, and by nothing else") {
  for (const Level level : {Level::error, Level::warning, Level::info, Level::debug}) {
    CHECK(level_of(name_of(level)) == level);
  }
  CHECK(name_of(Level::warning) == "warning");
  for (const char* wrong : {"", "warn", "Info", "debug ", "trace", "0"}) CHECK_FALSE(level_of(wrong));
}

TEST_CASE("the next level is more talkative, and after debug comes error") {
  CHECK(next_level(Level::error) == Level::warning);
  CHECK(next_level(Level::warning) == Level::info);
  CHECK(next_level(Level::info) == Level::debug);
  CHECK(next_level(Level::debug) == Level::error);
}
