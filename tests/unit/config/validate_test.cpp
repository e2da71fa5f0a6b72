#include "config/validate.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::config {
namespace {

std::vector<std::string> texts(const Config& config) {
  std::vector<std::string> all;
  for (const Error& error : validate(config)) all.push_back(error.text());
  return all;
}

Listener listener(const std::string& host, std::uint16_t port, const std::string& name = "") {
  return {name, {host, port, {}}, false, std::nullopt};
}

TEST_CASE("the default config is valid") {
  CHECK(validate(Config{}).empty());
}

TEST_CASE("listeners need an address and a name of their own") {
  Config config;
  config.listeners = {listener("a", 1, "x"), listener("a", 2, "x"), listener("a", 1)};
  CHECK(texts(config) == std::vector<std::string>{
                             "listeners[1].name: \"x\" is also listeners[0].name, each must be its own",
                             "listeners[2].address: a:1 is also listeners[0].address, each must be its own"});
}

TEST_CASE("port 0 is another port each time") {
  Config config;
  config.listeners = {listener("a", 0), listener("a", 0)};
  config.admin.address = {"a", 0, {}};
  CHECK(validate(config).empty());
}

TEST_CASE("unix sockets clash by their path") {
  Config config;
  config.listeners = {{"", {"", 0, "/s"}, false, std::nullopt}};
  config.admin.address = {"", 0, "/s"};
  CHECK(texts(config) == std::vector<std::string>{
                             "admin.address: unix:/s is also listeners[0].address, each must be its own"});
}

TEST_CASE("there must be a listener") {
  Config config;
  config.listeners.clear();
  CHECK(texts(config) == std::vector<std::string>{"listeners: is empty, at least one listener is needed"});
}

TEST_CASE("a certificate for the app needs its key and the key its certificate") {
  Config config;
  config.upstream.tls.certificate = "c";
  CHECK(texts(config) ==
        std::vector<std::string>{"upstream.tls.private_key: is missing, certificate needs it"});
  config.upstream.tls = {};
  config.upstream.tls.private_key = "k";
  CHECK(texts(config) ==
        std::vector<std::string>{"upstream.tls.certificate: is missing, private_key needs it"});
}

TEST_CASE("what becomes of clients' certificates is nothing to say where none is asked for") {
  Config config;
  config.listeners = {listener("a", 1), listener("a", 2)};
  ListenerTls& tls = config.listeners[1].tls.emplace();
  tls.client_auth = ClientAuth::optional;
  tls.client_crl = "crl";
  const std::string problem = " needs client_ca, without which no client is asked for a certificate";
  CHECK(texts(config) == std::vector<std::string>{"listeners[1].tls.client_auth:" + problem,
                                                  "listeners[1].tls.client_crl:" + problem});
  tls.client_ca = "ca";
  CHECK(texts(config).empty());
}

TEST_CASE("a route needs something to match; what it inherits is judged once") {
  Config config;
  config.upstream.tls.certificate = "c";
  config.routes = {{{}, config.upstream, config.compression, {}}, {{"h", ""}, {}, {}, {}}};
  config.routes[1].upstream.tls.private_key = "k";
  CHECK(texts(config) ==
        std::vector<std::string>{"upstream.tls.private_key: is missing, certificate needs it",
                                 "routes[0].match: matches everything, must have a host or a path",
                                 "routes[1].upstream.tls.certificate: is missing, private_key needs it"});
}

TEST_CASE("a route that another one leaves nothing is an error, and so is the same one twice") {
  Config config;
  for (const RouteMatch& match : {RouteMatch{"*.example.org", ""}, RouteMatch{"a.example.org", "/chat/"},
                                  RouteMatch{"example.org", ""}, RouteMatch{"example.org", ""}}) {
    config.routes.push_back({match, {}, {}, {}});
  }
  CHECK(texts(config) ==
        std::vector<std::string>{
            "routes[1].match: never matches, routes[0] takes all of it before; the narrower one must come "
            "first",
            "routes[3].match: never matches, routes[2] takes all of it before; the narrower one must come "
            "first"});
  std::swap(config.routes[0], config.routes[1]);
  config.routes.pop_back();
  CHECK(texts(config).empty());
}

TEST_CASE("a route that matches everything is blamed alone") {
  Config config;
  config.routes = {{{"", ""}, {}, {}, {}}, {{"a", ""}, {}, {}, {}}};
  CHECK(texts(config) ==
        std::vector<std::string>{"routes[0].match: matches everything, must have a host or a path"});
}

TEST_CASE("memory for compression is the process's and not a route's") {
  Config config;
  config.routes = {{{"a", ""}, {}, {}, {}}};
  config.routes[0].compression.memory = 1 << 20;
  CHECK(texts(config) ==
        std::vector<std::string>{
            "routes[0].compression.memory: is one for all routes, set compression.memory instead"});
}

}  // namespace
}  // namespace wsproxy::config
