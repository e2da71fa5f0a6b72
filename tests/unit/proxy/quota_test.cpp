#include "proxy/quota.hpp"

#include <catch2/catch.hpp>

using wsproxy::proxy::Quota;

TEST_CASE("Each address has its own share and gets it back") {
  Quota quota(2, 0);
  CHECK(quota.enter_address("10.0.0.1"));
  CHECK(quota.enter_address("10.0.0.1"));
  CHECK_FALSE(quota.enter_address("10.0.0.1"));
  CHECK(quota.enter_address("10.0.0.2"));
  quota.leave_address("10.0.0.1");
  CHECK(quota.enter_address("10.0.0.1"));
}

TEST_CASE("Connections to the app are counted over all addresses, and 0 is no limit") {
  Quota quota(0, 1);
  CHECK(quota.enter_app());
  CHECK_FALSE(quota.enter_app());
  quota.leave_app();
  CHECK(quota.enter_app());
  Quota unlimited(0, 0);
  for (int i = 0; i < 100; ++i) CHECK((unlimited.enter_app() && unlimited.enter_address("::1")));
}
