#include "proxy/quota.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::proxy {
namespace {

using namespace std::chrono_literals;
using Entry = Quota::Entry;

config::Limits limited(std::uint32_t per_address) {
  config::Limits limits;
  limits.max_connections_per_ip = per_address;
  return limits;
}

config::Config with_app(std::uint32_t places) {
  config::Config config;
  config.upstream.max_connections = places;
  return config;
}

void add_route(config::Config& config, std::uint16_t port, std::uint32_t places) {
  config.routes.push_back(
      {{"", "/" + std::to_string(config.routes.size())}, config.upstream, config.compression, config.limits});
  config.routes.back().upstream.url.port = port;
  config.routes.back().upstream.max_connections = places;
}

TEST_CASE("each address has its own share and gets it back") {
  Quota quota(limited(2));
  CHECK(quota.enter_address("10.0.0.1") == Entry::counted);
  CHECK(quota.enter_address("10.0.0.1") == Entry::counted);
  CHECK(quota.enter_address("10.0.0.1") == Entry::refused);
  CHECK(quota.enter_address("10.0.0.2") == Entry::counted);
  quota.leave_address("10.0.0.1");
  CHECK(quota.enter_address("10.0.0.1") == Entry::counted);
  CHECK(quota.enter_address("10.0.0.1") == Entry::refused);
}

TEST_CASE("all addresses of an IPv6 /64 have one share") {
  Quota quota(limited(2));
  CHECK(quota.enter_address("2001:db8::1") == Entry::counted);
  CHECK(quota.enter_address("2001:db8::2") == Entry::counted);
  CHECK(quota.enter_address("2001:db8::3") == Entry::refused);
  CHECK(quota.enter_address("2001:db8:0:1::1") == Entry::counted);
  quota.leave_address("2001:db8::1");
  CHECK(quota.enter_address("2001:db8::4") == Entry::counted);
}

TEST_CASE("who has no address has no limit") {
  Quota quota(limited(1));
  for (int i = 0; i < 10; ++i) CHECK(quota.enter_address("") == Entry::uncounted);
  quota.leave_address("");
  quota.leave_address("10.0.0.9");  // was never in
  CHECK(quota.enter_address("10.0.0.9") == Entry::counted);
  CHECK(quota.enter_address("10.0.0.9") == Entry::refused);
}

TEST_CASE("a limit that is set later holds for who comes then, and who left uncounted takes nobody's place") {
  Quota quota(limited(0));
  CHECK(quota.enter_address("10.0.0.1") == Entry::uncounted);
  quota.set_limits(limited(1));
  CHECK(quota.enter_address("10.0.0.1") == Entry::counted);
  CHECK(quota.enter_address("10.0.0.1") == Entry::refused);
  quota.set_limits(limited(0));
  CHECK(quota.enter_address("10.0.0.1") == Entry::uncounted);
  quota.leave_address("10.0.0.1");
  quota.set_limits(limited(1));
  CHECK(quota.enter_address("10.0.0.1") == Entry::counted);
}

TEST_CASE("connections to the app are counted over all addresses, and 0 is no limit") {
  Quota quota{config::Limits{}};
  const AppPtr app = quota.apps_of(with_app(1)).at(0);
  CHECK(quota.enter_app(*app, 1));
  CHECK_FALSE(quota.enter_app(*app, 1));
  quota.leave_app(*app);
  CHECK(quota.enter_app(*app, 1));
  for (int i = 0; i < 100; ++i) CHECK(quota.enter_app(*app, 0));
}

TEST_CASE("each upstream has places of its own") {
  config::Config config = with_app(1);
  add_route(config, 1, 2);
  add_route(config, 2, 0);
  Quota quota{config.limits};
  const auto apps = quota.apps_of(config);
  REQUIRE(apps.size() == 3);
  CHECK(quota.enter_app(*apps[0], 1));
  CHECK_FALSE(quota.enter_app(*apps[0], 1));
  CHECK(quota.enter_app(*apps[1], 2));
  CHECK(quota.enter_app(*apps[1], 2));
  CHECK_FALSE(quota.enter_app(*apps[1], 2));
  for (int i = 0; i < 10; ++i) CHECK(quota.enter_app(*apps[2], 0));
  quota.leave_app(*apps[1]);
  CHECK_FALSE(quota.enter_app(*apps[0], 1));
  CHECK(quota.enter_app(*apps[1], 2));
}

TEST_CASE("routes with the same upstream are one app") {
  config::Config config = with_app(2);
  add_route(config, config.upstream.url.port, 2);
  add_route(config, 1, 1);
  add_route(config, 1, 1);
  Quota quota{config.limits};
  const auto apps = quota.apps_of(config);
  CHECK(apps[0] == apps[1]);
  CHECK(apps[2] == apps[3]);
  CHECK(apps[0] != apps[2]);
}

TEST_CASE("an app that the next configuration has too keeps its count, as long as somebody knows it") {
  Quota quota{config::Limits{}};
  config::Config config = with_app(1);
  const auto before = quota.apps_of(config);
  CHECK(quota.enter_app(*before[0], 1));
  add_route(config, 1, 1);
  auto after = quota.apps_of(config);
  CHECK(after[0] == before[0]);
  CHECK_FALSE(quota.enter_app(*after[0], 1));
  CHECK(quota.enter_app(*after[1], 1));
  after.clear();
  CHECK(quota.enter_app(*quota.apps_of(config)[1], 1));
}

TEST_CASE(
    "an app keeps its count when its limit or a timeout changes, each of several at one place its own") {
  Quota quota{config::Limits{}};
  config::Config config = with_app(1);
  add_route(config, config.upstream.url.port, 5);
  const auto before = quota.apps_of(config);
  CHECK(before[0] != before[1]);
  config.upstream.max_connections = 2;
  config.upstream.connect_timeout = config::Duration{1};
  config.routes[0].upstream.lost_code = 1012;
  CHECK(quota.apps_of(config) == before);
  config.upstream.proxy_protocol = config::ProxyHeader::v2;
  CHECK(quota.apps_of(config)[0] != before[0]);
}

TEST_CASE("handshakes of an address are limited by the second, those of a /64 together") {
  const HandshakeRates::Clock::time_point now{1000s};
  config::Config config;
  config.limits.handshakes_per_second_per_ip = 2;
  Quota quota(config.limits);
  CHECK(quota.try_handshake("2001:db8::1", now));
  CHECK(quota.try_handshake("2001:db8::2", now));
  CHECK_FALSE(quota.try_handshake("2001:db8::3", now));
  CHECK(quota.try_handshake("10.0.0.1", now));
  CHECK(quota.try_handshake("2001:db8::3", now + 600ms));
  Quota unlimited(config::Limits{});
  for (int i = 0; i < 100; ++i) CHECK((unlimited.try_handshake("::1", now) && quota.try_handshake("", now)));
}

}  // namespace
}  // namespace wsproxy::proxy
