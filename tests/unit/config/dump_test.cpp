#include "config/dump.hpp"

#include <catch2/catch.hpp>

#include "config/yaml_reader.hpp"

namespace wsproxy::config {
namespace {

ReadResult read(std::string_view yaml) {
  return read_config(yaml, "f.yaml", [](const std::string&) { return std::nullopt; });
}

void check_round_trip(const Config& config) {
  const std::string yaml = dump(config);
  CAPTURE(yaml);
  const auto result = read(yaml);
  for (const Error& error : result.errors) FAIL_CHECK(error.text());
  CHECK(result.config == config);
}

TEST_CASE("the default config is dumped with every key") {
  const std::string yaml = dump(Config{});
  CHECK(yaml.starts_with(
      "listeners:\n  - name: \"\"\n    address: 127.0.0.1:8009\n    proxy_protocol: false\nupstream:\n"));
  CHECK(yaml.find("\n  min_size: 32B\n") != std::string::npos);
  CHECK(yaml.find("\n  history: auto\n") != std::string::npos);
  CHECK(yaml.find("\nroutes: []\n") != std::string::npos);
  CHECK(yaml.ends_with("\nworkers: auto\n"));
  check_round_trip(Config{});
}

TEST_CASE("a config with everything reads back equal") {
  Config config;
  config.listeners.push_back(
      {"tls",
       {"::", 8443, {}},
       true,
       ListenerTls{"c", "k", {{"c2", "k2"}}, "ca", ClientAuth::optional, "crl", "1.3", "ECDHE+AESGCM", "T"}});
  ListenerTls plain;
  plain.certificate = "c";
  plain.private_key = "k";
  config.listeners.push_back({"", {"", 0, "/run/a b.sock"}, false, plain});
  config.routes = {{{"*.example.org", "/x"}, config.upstream, config.compression, config.limits}};
  config.routes[0].upstream.url = {false, "app", 80, "", "/base"};
  config.routes[0].compression.history = {.is_auto = false, .bytes = 32768};
  config.limits.allowed_origins = {"https://a.example", "null"};
  config.headers.trusted_proxies = {"10.0.0.0/8", "::1"};
  config.workers = 3;
  check_round_trip(config);
}

TEST_CASE("all keys of a listener's tls are dumped, also those that are as they were") {
  Config config;
  config.listeners[0].tls.emplace();
  config.listeners[0].tls->certificate = "c";
  CHECK(dump(config).find(R"(
    tls:
      certificate: c
      private_key: ""
      additional: []
      client_ca: ""
      client_auth: required
      client_crl: ""
      min_version: "1.2"
      ciphers: ""
      ciphersuites: ""
)") != std::string::npos);
}

TEST_CASE("a text that YAML or the reader would take for something else reads back equal") {
  for (const char* text :
       {"true", "No",   "null", "~",       "1.2",      "1e3", "0x1F",  "1:20", "2026-01-01",
        "a: b", "a #b", "- a",  "a:",      "[a]",      "{a}", "*a",    "&a",   "!a",
        "|",    ">",    "%a",   "@a",      "`a`",      "'a'", "\"a\"", "a\\b", " a",
        "a ",   "$",    "$$",   "${HOME}", "\xC3\xA4", "?",   "a,b",   "=",    "<<"}) {
    Config config;
    config.listeners[0].name = text;
    check_round_trip(config);
  }
}

TEST_CASE("secrets are not shown") {
  Config config;
  config.sentry.dsn = "https://key@sentry.example.org/1";
  CHECK(dump(config).find("key@") == std::string::npos);
  CHECK(dump(config).find("  dsn: \"(hidden)\"\n") != std::string::npos);
}

TEST_CASE("a dump with secrets reads back without them, which a file may not be") {
  Config config;
  config.sentry.dsn = "https://key@sentry.example.org/1";
  config.workers = 3;
  const ReadResult back = read_dump(dump(config), "/config");
  CHECK(back.errors.empty());
  CHECK(back.config.sentry.dsn.empty());
  CHECK(back.config.workers == 3);
  const ReadResult file = read(dump(config));
  REQUIRE(file.errors.size() == 1);
  CHECK(file.errors[0].key == "sentry.dsn");
}

TEST_CASE("hidden means something only where there is a secret") {
  Config config;
  config.listeners[0].name = "(hidden)";
  CHECK(read_dump(dump(config), "/config").config == config);
  CHECK_FALSE(read_dump("sentry: {dsn: nonsense}", "/config").errors.empty());
}

}  // namespace
}  // namespace wsproxy::config
