#include "telemetry/sentry_limits.hpp"

#include <catch2/catch.hpp>

using namespace wsproxy::telemetry;
using namespace std::chrono_literals;

TEST_CASE("an answer without limits asks for no silence") {
  CHECK(sentry_silence(200, "", "") == 0s);
  CHECK(sentry_silence(200, "", "30") == 0s);
}

TEST_CASE("a 429 is silence for as long as it says, or a minute") {
  CHECK(sentry_silence(429, "", "7") == 7s);
  CHECK(sentry_silence(429, "", "2.5") == 2s);
  CHECK(sentry_silence(429, "", "") == 60s);
  CHECK(sentry_silence(429, "", "Sun, 06 Nov 1994 08:49:37 GMT") == 60s);
  CHECK(sentry_silence(429, "", "99999999999999999999") == 60s);
  CHECK(sentry_silence(429, "", "999999999") == 24h);
}

TEST_CASE("limits count when they are about errors or everything, with whatever status") {
  CHECK(sentry_silence(200, "60:error:organization", "") == 60s);
  CHECK(sentry_silence(200, "60::organization", "") == 60s);
  CHECK(sentry_silence(200, "60:transaction;error:key", "") == 60s);
  CHECK(sentry_silence(200, "60:transaction;session:key", "") == 0s);
  CHECK(sentry_silence(200, "60:transaction:key, 2700:default;error:organization:quota", "") == 2700s);
  CHECK(sentry_silence(200, "100:error:key, 5:error:key", "") == 100s);
  CHECK(sentry_silence(429, "9:error:key", "100") == 9s);
  CHECK(sentry_silence(429, "9:transaction:key", "100") == 60s);
  CHECK(sentry_silence(200, ",,x:error,-1:error:key", "") == 0s);
}
