#include "server/cpu_quota.hpp"

#include <catch2/catch.hpp>

using wsproxy::server::automatic_workers;
using wsproxy::server::parse_cpu_max;

TEST_CASE("A container's CPU quota is rounded up") {
  CHECK(parse_cpu_max("200000 100000") == 2U);
  CHECK(parse_cpu_max("150000 100000") == 2U);
  CHECK(parse_cpu_max("50000 100000") == 1U);
}

TEST_CASE("No quota, or one that cannot be read, is none") {
  for (const char* text : {"max 100000", "", "100000", "0 100000", "100000 0", "-1 100000", "a b"}) {
    CHECK_FALSE(parse_cpu_max(text));
  }
  CHECK(automatic_workers() >= 1);
}
