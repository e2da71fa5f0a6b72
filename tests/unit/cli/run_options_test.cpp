#include "cli/run_options.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::cli {
namespace {

/// Options of which `set` gives some.
template <class Set>
RunOptions with(Set set) {
  RunOptions options;
  set(options);
  return options;
}

config::Config applied(const RunOptions& options, config::Config config = {}) {
  for (const config::Error& error : apply_options(options, config)) FAIL_CHECK(error.text());
  return config;
}

std::vector<std::string> errors_of(const RunOptions& options, config::Config config = {}) {
  std::vector<std::string> texts;
  for (const config::Error& error : apply_options(options, config)) texts.push_back(error.text());
  return texts;
}

TEST_CASE("no options leave the config as it is") {
  CHECK(applied({}) == config::Config{});
}

TEST_CASE("host and port replace those of the first listener, each alone") {
  config::Config two;
  two.listeners.push_back({"", {"127.0.0.1", 1, {}}, false, std::nullopt});
  CHECK(applied(with([](auto& o) { o.host = "::"; }), two).listeners[0].address ==
        config::Address{"::", 8009, {}});
  const auto changed = applied(with([](auto& o) { o.port = 7; }), two);
  CHECK(changed.listeners[0].address == config::Address{"127.0.0.1", 7, {}});
  CHECK(changed.listeners[1] == two.listeners[1]);
}

TEST_CASE("host or port puts a listener on a unix socket onto TCP") {
  config::Config config;
  config.listeners[0].address = {"", 0, "/run/w.sock"};
  CHECK(applied(with([](auto& o) { o.port = 7; }), config).listeners[0].address ==
        config::Address{"127.0.0.1", 7, {}});
}

TEST_CASE("the app and the side port are replaced whole") {
  const auto config = applied(with([](auto& o) {
    o.remote_url = "ws://app:1/base";
    o.admin = "[::]:9";
  }));
  CHECK(config.upstream.url.text() == "ws://app:1/base");
  CHECK(config.admin.address == config::Address{"::", 9, {}});
}

TEST_CASE("verbosity sets the level, none leaves the file's") {
  config::Config quiet;
  quiet.log.level = config::LogLevel::error;
  CHECK(applied({}, quiet).log.level == config::LogLevel::error);
  CHECK(applied(with([](auto& o) { o.verbosity = 1; }), quiet).log.level == config::LogLevel::info);
  CHECK(applied(with([](auto& o) { o.verbosity = 2; }), quiet).log.level == config::LogLevel::debug);
}

TEST_CASE("a DSN counts with --sentry only, and --sentry needs one") {
  const std::string dsn = "https://k@h/1";
  CHECK(applied(with([&](auto& o) {
          o.sentry = true;
          o.sentry_url = dsn;
        })).sentry.dsn == dsn);
  CHECK(applied(with([&](auto& o) { o.sentry_url = dsn; })).sentry.dsn.empty());
  CHECK(applied(with([](auto& o) { o.environment = "prod"; })).sentry.environment == "prod");
  CHECK(errors_of(with([](auto& o) { o.sentry = true; })) ==
        std::vector<std::string>{"--sentry: there is no DSN, give --sentry_url or sentry.dsn in the file"});
  config::Config config;
  config.sentry.dsn = dsn;
  CHECK(applied(with([](auto& o) { o.sentry = true; }), config).sentry.dsn == dsn);
}

TEST_CASE("what is wrong after the options is told, all at once") {
  CHECK(errors_of(with([](auto& o) {
          o.host = "a b";
          o.remote_url = "x";
          o.admin = "y";
        })) == std::vector<std::string>{"--host: \"a b\" is wrong, must be a name or an IP address",
                                        "--remote_url: \"x\" has another scheme",
                                        "--admin: \"y\" has no port"});
  CHECK(errors_of(with([](auto& o) { o.port = 9090; })) ==
        std::vector<std::string>{
            "admin.address: 127.0.0.1:9090 is also listeners[0].address, each must be its own"});
}

}  // namespace
}  // namespace wsproxy::cli
