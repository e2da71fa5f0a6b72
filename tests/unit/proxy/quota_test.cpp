#include "proxy/quota.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::proxy {
namespace {

using namespace std::chrono_literals;

config::Config limited(std::uint32_t per_address, std::uint32_t to_app) {
  config::Config config;
  config.limits.max_connections_per_ip = per_address;
  config.upstream.max_connections = to_app;
  return config;
}

void add_route(config::Config& config, std::uint16_t port, std::uint32_t to_app) {
  config.routes.push_back(
      {{"", "/" + std::to_string(config.routes.size())}, config.upstream, config.compression, config.limits});
  config.routes.back().upstream.url.port = port;
  config.routes.back().upstream.max_connections = to_app;
}

TEST_CASE("each address has its own share and gets it back") {
  Quota quota(limited(2, 0));
  CHECK(quota.enter_address("10.0.0.1"));
  CHECK(quota.enter_address("10.0.0.1"));
  CHECK_FALSE(quota.enter_address("10.0.0.1"));
  CHECK(quota.enter_address("10.0.0.2"));
  quota.leave_address("10.0.0.1");
  CHECK(quota.enter_address("10.0.0.1"));
  CHECK_FALSE(quota.enter_address("10.0.0.1"));
}

TEST_CASE("all addresses of an IPv6 /64 have one share") {
  Quota quota(limited(2, 0));
  CHECK(quota.enter_address("2001:db8::1"));
  CHECK(quota.enter_address("2001:db8::2"));
  CHECK_FALSE(quota.enter_address("2001:db8::3"));
  CHECK(quota.enter_address("2001:db8:0:1::1"));
  quota.leave_address("2001:db8::1");
  CHECK(quota.enter_address("2001:db8::4"));
}

TEST_CASE("who has no address has no limit") {
  Quota quota(limited(1, 0));
  for (int i = 0; i < 10; ++i) CHECK(quota.enter_address(""));
  quota.leave_address("");
  quota.leave_address("10.0.0.9");  // was never in
  CHECK(quota.enter_address("10.0.0.9"));
  CHECK_FALSE(quota.enter_address("10.0.0.9"));
}

TEST_CASE("connections to the app are counted over all addresses, and 0 is no limit") {
  Quota quota(limited(0, 1));
  CHECK(quota.enter_app(0));
  CHECK_FALSE(quota.enter_app(0));
  quota.leave_app(0);
  CHECK(quota.enter_app(0));
  Quota unlimited(limited(0, 0));
  for (int i = 0; i < 100; ++i) CHECK((unlimited.enter_app(0) && unlimited.enter_address("::1")));
}

TEST_CASE("each upstream has places of its own") {
  config::Config config = limited(0, 1);
  add_route(config, 1, 2);
  add_route(config, 2, 0);
  Quota quota(config);
  CHECK(quota.enter_app(0));
  CHECK_FALSE(quota.enter_app(0));
  CHECK(quota.enter_app(1));
  CHECK(quota.enter_app(1));
  CHECK_FALSE(quota.enter_app(1));
  for (int i = 0; i < 10; ++i) CHECK(quota.enter_app(2));
  quota.leave_app(1);
  CHECK_FALSE(quota.enter_app(0));
  CHECK(quota.enter_app(1));
}

TEST_CASE("routes with the same upstream share its places") {
  config::Config config = limited(0, 2);
  add_route(config, config.upstream.url.port, 2);
  add_route(config, 1, 1);
  add_route(config, 1, 1);
  Quota quota(config);
  CHECK(quota.enter_app(0));
  CHECK(quota.enter_app(1));
  CHECK_FALSE(quota.enter_app(0));
  CHECK_FALSE(quota.enter_app(1));
  quota.leave_app(0);
  CHECK(quota.enter_app(1));
  CHECK(quota.enter_app(2));
  CHECK_FALSE(quota.enter_app(3));
}

TEST_CASE("handshakes of an address are limited by the second, those of a /64 together") {
  const HandshakeRates::Clock::time_point now{1000s};
  config::Config config;
  config.limits.handshakes_per_second_per_ip = 2;
  Quota quota(config);
  CHECK(quota.try_handshake("2001:db8::1", now));
  CHECK(quota.try_handshake("2001:db8::2", now));
  CHECK_FALSE(quota.try_handshake("2001:db8::3", now));
  CHECK(quota.try_handshake("10.0.0.1", now));
  CHECK(quota.try_handshake("2001:db8::3", now + 600ms));
  Quota unlimited(config::Config{});
  for (int i = 0; i < 100; ++i) CHECK((unlimited.try_handshake("::1", now) && quota.try_handshake("", now)));
}

}  // namespace
}  // namespace wsproxy::proxy
