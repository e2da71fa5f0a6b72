#include "config/unsupported.hpp"

#include <catch2/catch.hpp>

#include "config/config.hpp"

namespace wsproxy::config {
namespace {

TEST_CASE("the default config needs nothing of a later release, http.forward included") {
  CHECK(Config{}.http.forward);
  CHECK(unsupported_features(Config{}).empty());
}

TEST_CASE("each feature of a later release is named when it is switched on") {
  Config config;
  config.listeners.resize(2);
  config.listeners[0].tls.emplace();
  config.listeners[1].proxy_protocol = true;
  config.upstream.url.tls = true;
  config.upstream.tls = {"ca", "name", false, "c", "k"};
  config.compression.engine = Engine::isal;
  config.routes.resize(1);
  config.sentry.dsn = "https://k@h/1";
  CHECK(unsupported_features(config) ==
        std::vector<std::string>{
            "listeners[0].tls: not supported yet", "listeners[1].proxy_protocol: not supported yet",
            "upstream.url: wss://: not supported yet", "upstream.tls.ca: not supported yet",
            "upstream.tls.server_name: not supported yet", "upstream.tls.verify: false: not supported yet",
            "upstream.tls.certificate: not supported yet", "upstream.tls.private_key: not supported yet",
            "compression.engine: isal: not supported yet", "routes: not supported yet",
            "sentry.dsn: not supported yet"});
}

}  // namespace
}  // namespace wsproxy::config
