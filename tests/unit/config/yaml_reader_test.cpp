#include "config/yaml_reader.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace wsproxy::config {
namespace {

std::optional<std::string> no_variables(const std::string&) {
  return std::nullopt;
}

ReadResult read(std::string_view yaml) {
  return read_config(yaml, "f.yaml", no_variables);
}

/// The texts of all errors, a line each.
std::string errors_of(std::string_view yaml) {
  std::string text;
  for (const Error& error : read(yaml).errors) text += error.text() + "\n";
  return text;
}

Config good(std::string_view yaml) {
  CAPTURE(yaml);
  CHECK(errors_of(yaml).empty());
  return read(yaml).config;
}

TEST_CASE("an empty file is the default config") {
  for (const char* yaml : {"", "# only a comment\n", "---\n", "{}",
                           "limits:\ntimeouts: {}\nroutes:\nlisteners:\nheaders: {trusted_proxies: }\n"}) {
    CHECK(good(yaml) == Config{});
  }
}

TEST_CASE("every key reaches its member") {
  const Config config = good(R"(
listeners:
  - {name: public, address: "[::]:8443", proxy_protocol: true, tls: {certificate: c, private_key: k,
     additional: [{certificate: c2, private_key: k2}], client_ca: ca, client_auth: optional, client_crl: crl,
     min_version: "1.3", ciphers: "ECDHE+AESGCM", ciphersuites: TLS_AES_128_GCM_SHA256}}
  - address: unix:/run/w.sock
upstream: {url: "wss://app:9/base/", connect_timeout: 1s, response_timeout: 2s, max_connections: 3, lost_code: 1014,
  proxy_protocol: v2, tls: {ca: a, server_name: n.example, verify: false, certificate: c, private_key: k}}
compression: {enabled: false, mode: observe, observe_every: 7, engine: isal, level: 1, min_size: 1KiB, window_bits: 9, history: 32KiB,
  context_takeover: false, client_window_bits: 15, client_context_takeover: false, memory: 1MiB, adaptive: false}
limits: {max_connections: 1, max_connections_per_ip: 2, max_message_size: 0, max_header_size: 1KiB,
  write_buffer: 128KiB, handshakes_per_second_per_ip: 3, messages_per_second: 4, bytes_per_second: 5KiB,
  control_frames_per_second: 6, rate_action: close, allowed_origins: ["https://a.example", "null"]}
timeouts: {handshake: 1ms, ping_interval: 0, ping_timeout: 3s, idle: 1h, close: 4s}
drain: {delay: 1s, spread: 2s, timeout: 3s, close_code: 1012}
websocket: {validate_utf8: false}
http: {forward: false, response_timeout: 5s, client_timeout: 6s}
headers: {trusted_proxies: [10.0.0.0/8, "fd00::/8"], upstream: {host: upstream}}
admin: {address: 0.0.0.0:9091, drain: any}
log: {level: debug, format: json, access: false, access_sample: 9}
sentry: {dsn: "https://k@s.example/1", environment: prod, crash_directory: /c}
workers: 4
)");
  Config expected;
  const ListenerTls tls{"c",
                        "k",
                        {{"c2", "k2"}},
                        "ca",
                        ClientAuth::optional,
                        "crl",
                        "1.3",
                        "ECDHE+AESGCM",
                        "TLS_AES_128_GCM_SHA256"};
  expected.listeners = {{"public", {"::", 8443, {}}, true, tls},
                        {"", {"", 0, "/run/w.sock"}, false, std::nullopt}};
  expected.upstream = {
      {true, "app", 9, "", "/base"},      Duration{1000}, Duration{2000}, 3, 1014, ProxyHeader::v2,
      {"a", "n.example", false, "c", "k"}};
  expected.compression = {false, CompressionMode::observe, 7,     Engine::isal, 1,     1024,
                          9,     {false, 32768},           false, 15,           false, 1 << 20,
                          false};
  expected.limits = {
      1, 2, 3, 0, 1024, 128 << 10, 4, 5 << 10, 6, RateAction::close, {"https://a.example", "null"}};
  expected.timeouts = {Duration{1}, Duration{0}, Duration{3000}, Duration{3'600'000}, Duration{4000}};
  expected.drain = {Duration{1000}, Duration{2000}, Duration{3000}, 1012};
  expected.websocket.validate_utf8 = false;
  expected.http = {false, Duration{5000}, Duration{6000}};
  expected.headers = {{"10.0.0.0/8", "fd00::/8"}, HostSource::upstream};
  expected.admin = {{"0.0.0.0", 9091, {}}, AdminDrain::any};
  expected.log = {LogLevel::debug, LogFormat::json, false, 9};
  expected.sentry = {"https://k@s.example/1", "prod", "/c"};
  expected.workers = 4;
  CHECK(config == expected);
}

TEST_CASE("a route starts from the upstream and compression of the file, wherever they stand") {
  const Config config = good(R"(
routes:
  - match: {host: "*.example.org", path: /chat/}
    upstream: {url: "ws://127.0.0.1:5678"}
  - match: {path: /raw}
    compression: {enabled: false}
compression: {level: 3}
upstream: {url: "ws://app", lost_code: 1014}
)");
  REQUIRE(config.routes.size() == 2);
  CHECK(config.routes[0].match == RouteMatch{"*.example.org", "/chat/"});
  CHECK(config.routes[0].upstream.url.port == 5678);
  CHECK(config.routes[0].upstream.lost_code == 1014);
  CHECK(config.routes[0].compression == config.compression);
  CHECK(config.routes[1].upstream == config.upstream);
  CHECK_FALSE(config.routes[1].compression.enabled);
  CHECK(config.routes[1].compression.level == 3);
}

TEST_CASE("a route starts from the limits of the file and has those that can be told by request") {
  const Config config = good(R"(
routes:
  - match: {path: /feed}
    limits: {max_message_size: 1KiB, rate_action: close, allowed_origins: []}
  - match: {path: /raw}
    limits: {allowed_origins: }
limits: {messages_per_second: 5, write_buffer: 2MiB, allowed_origins: ["https://*.example.org"], max_connections: 7}
)");
  const Limits& feed = config.routes[0].limits;
  CHECK(feed.max_message_size == 1024);
  CHECK(feed.rate_action == RateAction::close);
  CHECK(feed.allowed_origins.empty());
  CHECK(feed.messages_per_second == 5);
  CHECK(feed.write_buffer == 2 << 20);
  CHECK(config.limits.rate_action == RateAction::slow);
  CHECK(config.routes[1].limits == config.limits);
}

TEST_CASE("limits that are judged before the request is known are no limits of a route") {
  for (const char* key :
       {"max_connections", "max_connections_per_ip", "handshakes_per_second_per_ip", "max_header_size"}) {
    const std::string yaml = std::string{"routes: [{match: {host: a}, limits: {"} + key + ": 4096}}]";
    CHECK(errors_of(yaml) ==
          std::string{"f.yaml:1:38: routes[0].limits."} + key +
              ": is judged before the request is known, so only the limits above can have it\n");
  }
  CHECK(errors_of("routes: [{match: {host: a}, limits: {max_mesage_size: 1}}]") ==
        "f.yaml:1:38: routes[0].limits.max_mesage_size: unknown key, did you mean max_message_size?\n");
}

TEST_CASE("a route's limits have the bounds of all others, and its errors their places") {
  CHECK(
      errors_of("routes:\n  - match: {host: 'a:80'}\n    limits: {write_buffer: 1KiB}\n") ==
      "f.yaml:2:19: routes[0].match.host: \"a:80\" has a port, which no route looks at, must be a name or an "
      "IP address, or a name that begins with *.\n"
      "f.yaml:3:28: routes[0].limits.write_buffer: \"1KiB\" is out of range, must be a size from 128KiB to "
      "1GiB (units B KiB MiB GiB KB MB GB)\n");
  CHECK(
      errors_of("routes:\n  - match: {path: /a}\n  - match: {path: /a/b}\n") ==
      "f.yaml:3:12: routes[1].match: never matches, routes[0] takes all of it before; the narrower one must "
      "come first\n");
}

TEST_CASE("a history is a size or auto, and what a route inherits may be either") {
  const auto reach = [](const char* yaml) { return good(yaml).compression.history; };
  CHECK(reach("{}") == HistoryReach{.is_auto = true, .bytes = 32768});
  CHECK(reach("compression: {history: auto}") == HistoryReach{});
  CHECK(reach("compression: {history: 0}") == HistoryReach{.is_auto = false, .bytes = 0});
  CHECK(reach("compression: {history: 32KiB}") == HistoryReach{.is_auto = false, .bytes = 32768});
  const Config config = good(R"(
compression: {history: 2KiB}
routes:
  - {match: {path: /a}, compression: {history: auto}}
  - {match: {path: /b}, compression: {level: 1}}
)");
  CHECK(config.routes.at(0).compression.history == HistoryReach{});
  CHECK(config.routes.at(1).compression.history == HistoryReach{.is_auto = false, .bytes = 2048});
  CHECK(errors_of("compression: {history: some}\n") ==
        "f.yaml:1:24: compression.history: \"some\" is not a whole number with a unit, must be auto or a "
        "size from 0 to 32KiB (units B KiB MiB GiB KB MB GB)\n");
}

TEST_CASE("all errors of a file are shown at once, in its order") {
  CHECK(errors_of(R"(listener: 3
listeners:
  - address: 127.0.0.1
    adress: x
compression:
  level: 12
  colour: red
workers: 0
)") == "f.yaml:1:1: listener: unknown key, did you mean listeners?\n"
       "f.yaml:3:14: listeners[0].address: \"127.0.0.1\" has no port, must be host:port, [ipv6]:port or "
       "unix:/path\n"
       "f.yaml:4:5: listeners[0].adress: unknown key, did you mean address?\n"
       "f.yaml:6:10: compression.level: \"12\" is out of range, must be 1 to 9\n"
       "f.yaml:7:3: compression.colour: unknown key, allowed: enabled, mode, "
       "observe_every, engine, level, min_size, window_bits, "
       "history, "
       "context_takeover, client_window_bits, client_context_takeover, memory, adaptive\n"
       "f.yaml:8:10: workers: \"0\" is out of range, must be auto or 1 to 256\n");
}

TEST_CASE("a key that is given twice is an error, in maps that are lists' items too") {
  CHECK(errors_of("log: {level: info}\nlog: {level: debug}\n") ==
        "f.yaml:2:1: log: is given twice, first in line 1; remove one\n");
  CHECK(errors_of("listeners: [{name: a, name: b}]") ==
        "f.yaml:1:23: listeners[0].name: is given twice, first in line 1; remove one\n");
}

TEST_CASE("a wrong type says what stands there and what must") {
  CHECK(errors_of("- 1\n") == "f.yaml:1:1: is a list, must be a map of keys\n");
  CHECK(errors_of("hello\n") == "f.yaml:1:1: is a single value, must be a map of keys\n");
  CHECK(errors_of("limits: 3\n") == "f.yaml:1:9: limits: is a single value, must be a map of keys\n");
  CHECK(errors_of("routes: {}\n") == "f.yaml:1:9: routes: is a map, must be a list\n");
  CHECK(errors_of("routes: [x]\n") == "f.yaml:1:10: routes[0]: is a single value, must be a map of keys\n");
  CHECK(errors_of("workers: [1]\n") == "f.yaml:1:10: workers: is a list, must be auto or 1 to 256\n");
  CHECK(errors_of("workers:\n") == "f.yaml:1:1: workers: has no value, must be auto or 1 to 256\n");
  CHECK(errors_of("http: {forward: yes}\n") ==
        "f.yaml:1:17: http.forward: \"yes\" is not a flag, must be true or false\n");
  CHECK(errors_of("headers: {trusted_proxies: 10.0.0.0/8}\n") ==
        "f.yaml:1:28: headers.trusted_proxies: is a single value, must be a list\n");
}

TEST_CASE("an item of a list of texts has its own position") {
  CHECK(errors_of("headers:\n  trusted_proxies:\n    - 10.0.0.0/8\n    - 10.0.0.0/33\n") ==
        "f.yaml:4:7: headers.trusted_proxies[1]: \"10.0.0.0/33\" has a prefix length that is not 0 to 32, "
        "must be a "
        "network such as 10.0.0.0/8 or fd00::/8\n");
}

TEST_CASE("a required key that is missing is an error where its section stands") {
  CHECK(errors_of("listeners:\n  - tls:\n") ==
        "f.yaml:2:5: listeners[0].tls.certificate: is missing, it is required here\n"
        "f.yaml:2:5: listeners[0].tls.private_key: is missing, it is required here\n");
  CHECK(errors_of("routes: [{}]\n") == "f.yaml:1:10: routes[0].match: is missing, it is required here\n");
}

TEST_CASE("an error between values stands at the value") {
  CHECK(errors_of("listeners:\n  - address: a:1\n  - address: a:1\n") ==
        "f.yaml:3:14: listeners[1].address: a:1 is also listeners[0].address, each must be its own\n");
  CHECK(errors_of("upstream:\n  tls:\n    certificate: c\n") ==
        "f.yaml:3:5: upstream.tls.private_key: is missing, certificate needs it\n");
  CHECK(errors_of("listeners: []\n") ==
        "f.yaml:1:12: listeners: is empty, at least one listener is needed\n");
  CHECK(errors_of("admin: {address: 127.0.0.1:8009}\n") ==
        "f.yaml:1:18: admin.address: 127.0.0.1:8009 is also listeners[0].address, each must be its own\n");
}

TEST_CASE("a further check's errors stand where their keys do, in the file's order") {
  const FurtherCheck check = [](const Config& config) -> std::vector<Error> {
    return {{"", 0, 0, "workers", fmt::format("{} are too many", config.workers)},
            {"", 0, 0, "listeners[0].tls.additional[1].private_key", "is bad"},
            {"", 0, 0, "upstream.tls.ca", "is not in the file"}};
  };
  const auto errors_after = [&](std::string_view yaml) {
    std::string text;
    for (const Error& error : read_config(yaml, "f.yaml", no_variables, check).errors)
      text += error.text() + "\n";
    return text;
  };
  const std::string yaml =
      "listeners:\n  - tls:\n      certificate: c\n      private_key: k\n"
      "      additional: [{certificate: a, private_key: b}, {certificate: d, private_key: e}]\n"
      "upstream: {url: \"ws://app\"}\nworkers: 3\n";
  CHECK(errors_after(yaml) ==
        "f.yaml:5:84: listeners[0].tls.additional[1].private_key: is bad\n"
        "f.yaml:6:11: upstream.tls.ca: is not in the file\n"
        "f.yaml:7:10: workers: 3 are too many\n");
  // It is not asked about what is wrong already.
  CHECK(errors_after("workers: 0\n").find("too many") == std::string::npos);
}

TEST_CASE("a value that is wrong already is not compared with others") {
  CHECK(errors_of("listeners: [{name: a}, 7]\n") ==
        "f.yaml:1:24: listeners[1]: is a single value, must be a map of keys\n");
}

TEST_CASE("a secret is not shown by its error") {
  CHECK(errors_of("sentry: {dsn: hunter2}\n").find("hunter2") == std::string::npos);
  CHECK_FALSE(errors_of("sentry: {dsn: hunter2}\n").empty());
}

TEST_CASE("a value that would garble the terminal is not shown") {
  CHECK(errors_of("log: {level: \"\\e[31m\"}\n") ==
        "f.yaml:1:14: log.level: the value has a control character or is not UTF-8, must be error, warning, "
        "info or "
        "debug\n");
  const auto long_value = errors_of("log: {level: " + std::string(5000, 'x') + "}\n");
  CHECK(long_value.size() < 200);
}

TEST_CASE("variables of the environment expand in values, quoted or not, but not in keys") {
  const Environment environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "LEVEL") return "3";
    if (name == "HOST") return "app: [x]";
    return std::nullopt;
  };
  const auto result = read_config(
      "compression: {level: \"${LEVEL}\"}\nworkers: ${W:-2}\nsentry: {environment: \"${HOST}$$\"}\n",
      "f.yaml", environment);
  CHECK(result.errors.empty());
  CHECK(result.config.compression.level == 3);
  CHECK(result.config.workers == 2);
  CHECK(result.config.sentry.environment == "app: [x]$");
  CHECK(errors_of("workers: ${W}\n") ==
        "f.yaml:1:10: workers: the environment variable W is not set, set it or write ${W:-default}\n");
  CHECK(errors_of("${W}: 1\n").find("unknown key") != std::string::npos);
}

TEST_CASE("a file that is no YAML is one error with its position") {
  const auto result = read("listeners: [\n");
  REQUIRE(result.errors.size() == 1);
  CHECK(result.errors[0].line > 0);
  CHECK(result.errors[0].key.empty());
}

TEST_CASE("a file that cannot be read is an error without a position") {
  const auto missing = load_config("/nonexistent/wsproxy.yaml", no_variables);
  REQUIRE(missing.errors.size() == 1);
  CHECK(missing.errors[0].text() == "/nonexistent/wsproxy.yaml: cannot be read: No such file or directory");
  const auto directory = load_config("/", no_variables);
  REQUIRE(directory.errors.size() == 1);
  CHECK(directory.errors[0].text() == "/: cannot be read: Is a directory");
  const auto endless = load_config("/dev/zero", no_variables);
  REQUIRE(endless.errors.size() == 1);
  CHECK(endless.errors[0].text() == "/dev/zero: is larger than 1048576 bytes");
}

}  // namespace
}  // namespace wsproxy::config
