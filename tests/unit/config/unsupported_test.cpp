#include "config/unsupported.hpp"

#include <catch2/catch.hpp>

#include "config/config.hpp"

namespace wsproxy::config {
namespace {

TEST_CASE("the default config needs nothing of a later release") {
  CHECK(unsupported_features(Config{}, {}).empty());
}

TEST_CASE("routes, the PROXY protocol, rates and whose Host the app sees are supported") {
  Config config;
  config.listeners[0].proxy_protocol = true;
  config.upstream.proxy_protocol = ProxyHeader::v2;
  config.routes = {{{"a", ""}, config.upstream, config.compression, config.limits}};
  config.routes[0].upstream.url.host = "other";
  config.limits.handshakes_per_second_per_ip = 1;
  config.limits.rate_action = RateAction::close;
  config.headers.upstream_host = HostSource::upstream;
  CHECK(unsupported_features(config, {}).empty());
}

TEST_CASE("TLS on both sides is supported") {
  Config config;
  config.listeners[0].tls.emplace();
  config.upstream.url.tls = true;
  config.upstream.tls = {"ca", "name", false, "c", "k"};
  CHECK(unsupported_features(config, {}).empty());
}

TEST_CASE("each feature of a later release is named when it is switched on") {
  Config config;
  config.admin.address = {"", 0, "/admin.sock"};
  CHECK(unsupported_features(config, {.has_isal = true}) ==
        std::vector<std::string>{"admin.address: unix:: not supported yet"});
}

TEST_CASE("a build without ISA-L says so where it is asked for, once for what a route inherits") {
  const std::string advice = ".engine: isal: this build has no ISA-L; use auto or zlib";
  Config config;
  config.compression.engine = Engine::isal;
  config.routes = {{{"a", ""}, config.upstream, config.compression, config.limits}};
  CHECK(unsupported_features(config, {.has_isal = false}) == std::vector{"compression" + advice});
  config.compression.engine = Engine::zlib;
  CHECK(unsupported_features(config, {.has_isal = false}) == std::vector{"routes[0].compression" + advice});
  CHECK(unsupported_features(config, {.has_isal = true}).empty());
}

}  // namespace
}  // namespace wsproxy::config
