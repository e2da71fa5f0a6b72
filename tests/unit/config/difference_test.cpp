#include "config/difference.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::config {
namespace {

using Changes = std::vector<Change>;

TEST_CASE("equal configurations have no difference") {
  CHECK(difference(Config{}, Config{}).empty());
}

TEST_CASE("each key that differs is told with both values, in the file's order") {
  Config after;
  after.workers = 3;
  after.limits.max_connections = 5;
  after.limits.allowed_origins = {"https://a.example", "null"};
  after.drain.spread = Duration{1500};
  CHECK(difference(Config{}, after) == Changes{{"limits.max_connections", "10000", "5"},
                                               {"limits.allowed_origins", "[]", "[https://a.example, null]"},
                                               {"drain.spread", "5s", "1500ms"},
                                               {"workers", "auto", "3"}});
}

TEST_CASE("what comes and goes with a list or a section is told key by key") {
  Config before, after;
  after.listeners.push_back({"more", {"127.0.0.1", 1, {}}, false, std::nullopt});
  CHECK(difference(before, after) == Changes{{"listeners[1].name", "(none)", "more"},
                                             {"listeners[1].address", "(none)", "127.0.0.1:1"},
                                             {"listeners[1].proxy_protocol", "(none)", "false"}});
  before.listeners[0].tls.emplace().certificate = "c";
  const Changes gone = difference(before, Config{});
  REQUIRE(!gone.empty());
  CHECK(gone[0] == Change{"listeners[0].tls.certificate", "c", "(none)"});
}

Route route_of(const Config& config) {
  return {{"", "/x"}, config.upstream, config.compression, config.limits};
}

TEST_CASE("what a route has from above is told there only") {
  Config before, after;
  after.compression.level = 9;
  after.compression.memory = 512 << 20;
  for (Config* one : {&before, &after}) one->routes = {route_of(*one), route_of(*one)};
  const Changes both{{"compression.level", "6", "9"}, {"compression.memory", "256MiB", "512MiB"}};
  CHECK(difference(before, after) == both);
}

TEST_CASE("what a route has for itself is told, also when it comes to be the same as above or no longer is") {
  Config same, other, above;
  same.routes = {route_of(same)};
  other.routes = {route_of(other)};
  other.routes[0].compression.level = 9;
  CHECK(difference(same, other) == Changes{{"routes[0].compression.level", "6", "9"}});
  CHECK(difference(other, same) == Changes{{"routes[0].compression.level", "9", "6"}});
  above.routes = {route_of(above)};
  above.compression.level = 9;
  CHECK(difference(same, above) == Changes{{"compression.level", "6", "9"}});
  above.routes[0].match.path = "/y";
  CHECK(difference(same, above) ==
        Changes{{"compression.level", "6", "9"}, {"routes[0].match.path", "/x", "/y"}});
}

TEST_CASE("a secret is not shown, and neither is whether it is the same length") {
  Config before, after;
  before.sentry.dsn = "https://one@s.example/1";
  after.sentry.dsn = "https://two@s.example/1";
  CHECK(difference(before, after) == Changes{{"sentry.dsn", "(hidden)", "(hidden)"}});
  CHECK(difference(Config{}, after) == Changes{{"sentry.dsn", "", "(hidden)"}});
}

TEST_CASE("what has no effect before the next start") {
  for (const char* key : {"workers", "admin.address", "compression.memory", "log.format", "sentry.dsn",
                          "sentry.environment", "sentry.crash_directory"}) {
    CHECK(needs_restart(key));
  }
  for (const char* key : {"admin.drain", "compression.level", "log.level", "listeners[0].address",
                          "routes[0].upstream.url", "drain.delay"}) {
    CHECK_FALSE(needs_restart(key));
  }
}

}  // namespace
}  // namespace wsproxy::config
