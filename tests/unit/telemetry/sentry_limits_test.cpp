#include "telemetry/sentry_limits.hpp"

#include <catch2/catch.hpp>

using namespace wsproxy::telemetry;
using namespace std::chrono_literals;

namespace {

/// After a 200 with these limits.
auto limited_by(std::string_view limits) {
  return sentry_silence(200, limits, "");
}
/// After a 429 without limits.
auto too_many(std::string_view retry_after) {
  return sentry_silence(429, "", retry_after);
}

}  // namespace

TEST_CASE("an answer without limits asks for no silence") {
  CHECK(limited_by("") == 0s);
  CHECK(sentry_silence(200, "", "30") == 0s);
}

TEST_CASE("a 429 is silence for as long as it says, or a minute") {
  CHECK(too_many("7") == 7s);
  CHECK(too_many("2.5") == 2s);
  CHECK(too_many("") == 60s);
  CHECK(too_many("Sun, 06 Nov 1994 08:49:37 GMT") == 60s);
  CHECK(too_many("99999999999999999999") == 60s);
  CHECK(too_many("999999999") == 24h);
}

TEST_CASE("limits count when they are about errors or everything, with whatever status") {
  CHECK(limited_by("60:error:organization") == 60s);
  CHECK(limited_by("60::organization") == 60s);
  CHECK(limited_by("60:transaction;error:key") == 60s);
  CHECK(limited_by("60:transaction;session:key") == 0s);
  CHECK(limited_by("60:transaction:key, 2700:default;error:organization:quota") == 2700s);
  CHECK(limited_by("100:error:key, 5:error:key") == 100s);
  CHECK(sentry_silence(429, "9:error:key", "100") == 9s);
  CHECK(sentry_silence(429, "9:transaction:key", "100") == 60s);
  CHECK(limited_by(",,x:error,-1:error:key") == 0s);
}
