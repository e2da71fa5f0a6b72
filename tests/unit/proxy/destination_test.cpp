#include "proxy/destination.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::proxy {
namespace {

config::Config config_with(std::vector<config::RouteMatch> matches) {
  config::Config config;
  for (config::RouteMatch& match : matches) {
    config.routes.push_back({std::move(match), config.upstream, config.compression, config.limits});
  }
  return config;
}

TEST_CASE("without routes everything goes to the upstream of the file, by its rules") {
  const config::Config config;
  for (const Destination& there : {destination_of(config, "a", "/"), default_destination(config)}) {
    CHECK(there.upstream == &config.upstream);
    CHECK(there.compression == &config.compression);
    CHECK(there.limits == &config.limits);
    CHECK(there.number == 0);
  }
}

TEST_CASE("a route's requests go to its own upstream by its own rules") {
  const config::Config config = config_with({{"b", ""}, {"a", ""}});
  const Destination there = destination_of(config, "a", "/");
  CHECK(there.upstream == &config.routes[1].upstream);
  CHECK(there.compression == &config.routes[1].compression);
  CHECK(there.limits == &config.routes[1].limits);
  CHECK(there.number == 2);
  CHECK(default_destination(config).number == 0);
}

TEST_CASE("a route is called by its name, else by what it matches, and what has none the default") {
  config::Config config = config_with({{"b", ""}, {"a.example", "/chat/"}, {"", "/"}});
  config.routes[2].name = "rest";
  CHECK(route_label(config, 0) == "default");
  CHECK(route_label(config, 1) == "b");
  CHECK(route_label(config, 2) == "a.example/chat/");
  CHECK(route_label(config, 3) == "rest");
  CHECK(route_labels(config) == std::set<std::string>{"default", "b", "a.example/chat/", "rest"});
}

TEST_CASE("RFC 9110 7.2: a host matches whatever its case, port and final dot") {
  struct Row {
    const char* pattern;
    const char* host;
    bool fits;
  };
  for (const Row& row : {
           Row{"example.org", "example.org", true},
           {"example.org", "EXAMPLE.org:8008", true},
           {"Example.Org", "example.org", true},
           {"example.org", "example.org.", true},
           {"example.org", "example.org.:80", true},
           {"example.org.", "example.org", true},
           {"example.org", "example.org:", true},
           {"example.org", "a.example.org", false},
           {"example.org", "example.org.evil", false},
           {"example.org", "evilexample.org", false},
           {"example.org", "example.org..", false},
           {"example.org", "", false},
           {"*.example.org", "a.example.org", true},
           {"*.example.org", "a.b.example.org:443", true},
           {"*.Example.Org", "A.EXAMPLE.ORG.", true},
           {"*.example.org.", "a.example.org", true},
           {"*.example.org", "example.org", false},
           {"*.example.org", ".example.org", false},
           {"*.example.org", "evilexample.org", false},
           {"*.example.org", "a.example.org.evil", false},
           {"127.0.0.1", "127.0.0.1:8009", true},
           {"::1", "[::1]", true},
           {"::1", "[::1]:8009", true},
           {"2001:DB8::1", "[2001:db8::1]", true},
           {"::1", "[::2]", false},
           {"::1", "[::1", true},  // a head with such a host is refused earlier; here it only must not crash
           {"::1", "[", false},
           {"::1", ":1", false},
       }) {
    CAPTURE(row.pattern, row.host);
    const config::Config config = config_with({{row.pattern, ""}});
    CHECK((destination_of(config, row.host, "/").number == 1) == row.fits);
  }
}

TEST_CASE("a path matches by its beginning, as it came") {
  struct Row {
    const char* prefix;
    const char* path;
    bool fits;
  };
  for (const Row& row : {
           Row{"/chat", "/chat", true},
           {"/chat", "/chat/room", true},
           {"/chat", "/chatter", true},
           {"/chat/", "/chat/", true},
           {"/chat/", "/chat", false},
           {"/chat/", "/chatter", false},
           {"/chat", "/CHAT", false},
           {"/chat", "/%63hat", false},
           {"/chat", "//chat", false},
           {"/chat", "/", false},
           {"/chat", "*", false},
           {"/chat", "", false},
           {"/", "/anything", true},
           {"/", "*", false},
       }) {
    CAPTURE(row.prefix, row.path);
    const config::Config config = config_with({{"", row.prefix}});
    CHECK((destination_of(config, "a", row.path).number == 1) == row.fits);
  }
}

TEST_CASE("host and path must both fit and the first route that does wins") {
  const config::Config config = config_with({
      {"a.example.org", "/chat/"},
      {"*.example.org", ""},
      {"", "/chat/"},
      {"a.example.org", "/late"},
  });
  CHECK(destination_of(config, "a.example.org", "/chat/x").number == 1);
  CHECK(destination_of(config, "a.example.org", "/late").number == 2);
  CHECK(destination_of(config, "b.example.org", "/chat/x").number == 2);
  CHECK(destination_of(config, "example.com", "/chat/x").number == 3);
  CHECK(destination_of(config, "example.com", "/").number == 0);
  CHECK(destination_of(config, "", "/").number == 0);
}

}  // namespace
}  // namespace wsproxy::proxy
