#include "cli/arguments.hpp"

#include <map>

#include <catch2/catch.hpp>

#include "telemetry/program_images.hpp"

namespace wsproxy::cli {
namespace {

using Words = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

ParsedArguments parse(const Words& words, const Variables& variables = {}) {
  return parse_arguments(words, [&variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  });
}

RunOptions run_options(const Words& words, const Variables& variables = {}) {
  const auto parsed = parse(words, variables);
  INFO(parsed.error);
  REQUIRE(parsed.arguments);
  CHECK(parsed.arguments->command == Command::run);
  return parsed.arguments->run;
}

/// The one line of a usage error.
std::string error_of(const Words& words, const Variables& variables = {}) {
  const auto parsed = parse(words, variables);
  CHECK_FALSE(parsed.arguments);
  CHECK(parsed.exit_code == 2);
  CHECK(parsed.output.empty());
  CHECK(parsed.error.find('\n') == parsed.error.size() - 1);
  return parsed.error;
}

TEST_CASE("wsproxy alone prints its help and is a usage error") {
  for (const Words& words : {Words{}, Words{"-v"}}) {
    const auto parsed = parse(words);
    CHECK_FALSE(parsed.arguments);
    CHECK(parsed.exit_code == 2);
    CHECK(parsed.output.find("Usage: wsproxy") != std::string::npos);
  }
}

TEST_CASE("help and version are printed and succeed") {
  CHECK(parse({"--version"}).output == "wsproxy 0.1.0\nbuild id " + telemetry::program_build_id() + "\n");
  CHECK(telemetry::program_build_id().size() == 40);
  CHECK(parse({"--version"}).exit_code == 0);
  for (const Words& words :
       {Words{"--help"}, Words{"run", "--help"}, Words{"check", "-h"}, Words{"probe", "--help"}}) {
    const auto parsed = parse(words);
    CHECK_FALSE(parsed.arguments);
    CHECK(parsed.exit_code == 0);
    CHECK(parsed.output.find("Usage: wsproxy") != std::string::npos);
  }
}

TEST_CASE("run without options leaves everything to the file and the defaults") {
  const RunOptions run = run_options({"run"});
  CHECK_FALSE(run.config_file);
  CHECK_FALSE(run.host);
  CHECK_FALSE(run.port);
  CHECK_FALSE(run.remote_url);
  CHECK_FALSE(run.admin);
  CHECK_FALSE(run.sentry);
  CHECK_FALSE(run.sentry_url);
  CHECK_FALSE(run.environment);
  CHECK(run.verbosity == 0);
}

TEST_CASE("run takes its options in both spellings") {
  for (const char* mark : {"_", "-"}) {
    const std::string remote = std::string{"--remote"} + mark + "url";
    const std::string sentry = std::string{"--sentry"} + mark + "url=https://k@h/1";
    const RunOptions run =
        run_options({"run", "--config", "f.yaml", "--host", "0.0.0.0", "--port=0", remote, "ws://app:1",
                     "--admin", "127.0.0.1:9", "--sentry", sentry, "--environment", "prod"});
    CHECK(run.config_file == "f.yaml");
    CHECK(run.host == "0.0.0.0");
    CHECK(run.port == 0);
    CHECK(run.remote_url == "ws://app:1");
    CHECK(run.admin == "127.0.0.1:9");
    CHECK(run.sentry);
    CHECK(run.sentry_url == "https://k@h/1");
    CHECK(run.environment == "prod");
  }
}

TEST_CASE("the environment gives what no option gives") {
  const Variables variables{
      {"WS_PROXY_CONFIG", "e.yaml"},           {"WS_PROXY_HOST", "[::1]"},        {"WS_PROXY_PORT", "7"},
      {"WS_PROXY_REMOTE_URL", "ws://e"},       {"WS_PROXY_ADMIN", "e:1"},         {"WS_PROXY_SENTRY", "true"},
      {"WS_PROXY_SENTRY_URL", "http://k@h/1"}, {"WS_PROXY_ENVIRONMENT", "stage"}, {"WS_PROXY_VERBOSE", "2"}};
  const RunOptions run = run_options({"run"}, variables);
  CHECK(run.config_file == "e.yaml");
  CHECK(run.host == "::1");
  CHECK(run.port == 7);
  CHECK(run.remote_url == "ws://e");
  CHECK(run.admin == "e:1");
  CHECK(run.sentry);
  CHECK(run.sentry_url == "http://k@h/1");
  CHECK(run.environment == "stage");
  CHECK(run.verbosity == 2);

  const RunOptions over = run_options({"-v", "run", "--port", "8", "--sentry=false"}, variables);
  CHECK(over.port == 8);
  CHECK_FALSE(over.sentry);
  CHECK(over.verbosity == 1);
  CHECK(over.host == "::1");
}

TEST_CASE("an empty variable is none") {
  const RunOptions run =
      run_options({"run"}, {{"WS_PROXY_PORT", ""}, {"WS_PROXY_SENTRY", ""}, {"WS_PROXY_VERBOSE", ""}});
  CHECK_FALSE(run.port);
  CHECK_FALSE(run.sentry);
  CHECK(run.verbosity == 0);
}

TEST_CASE("-v counts before and after the command") {
  CHECK(run_options({"-v", "run"}).verbosity == 1);
  CHECK(run_options({"run", "-v"}).verbosity == 1);
  CHECK(run_options({"-v", "run", "-v"}).verbosity == 2);
  CHECK(run_options({"run", "-vv"}).verbosity == 2);
  CHECK(run_options({"run", "-vvv"}).verbosity == 2);
}

TEST_CASE("a bad value is a usage error that names the option") {
  CHECK(error_of({"run", "--port", "65536"}) ==
        "wsproxy run: --port: \"65536\" is out of range, must be 0 to 65535 (see wsproxy run --help)\n");
  CHECK(error_of({"echo", "--port", "x"}).find("--port: \"x\" is not a whole number") != std::string::npos);
  CHECK(error_of({"run", "--host", "a b"}).find("--host: \"a b\" is no host") != std::string::npos);
  CHECK(error_of({"run", "--host", ""}).find("--host: ") != std::string::npos);
  CHECK(error_of({"run", "--remote-url", "http://x"}).find("--remote_url: \"http://x\" has another scheme") !=
        std::string::npos);
  CHECK(error_of({"run", "--admin", "x"}).find("--admin: \"x\" has no port") != std::string::npos);
  CHECK(error_of({"run", "--port"}).find("--port") != std::string::npos);
}

TEST_CASE("a bad value of the environment is a usage error that names the variable") {
  const std::pair<std::string, std::string> kBad[] = {
      {"WS_PROXY_HOST", "a b"},       {"WS_PROXY_PORT", "99999"},   {"WS_PROXY_REMOTE_URL", "x"},
      {"WS_PROXY_ADMIN", "x"},        {"WS_PROXY_SENTRY", "maybe"}, {"WS_PROXY_SENTRY_URL", "x"},
      {"WS_PROXY_ENVIRONMENT", "\n"}, {"WS_PROXY_VERBOSE", "loud"}, {"WS_PROXY_CONFIG", "\x1B"}};
  for (const auto& [variable, value] : kBad) {
    CHECK(error_of({"run"}, {{variable, value}}).starts_with("wsproxy run: " + variable + ": "));
  }
}

TEST_CASE("a DSN is a secret and not shown by its error") {
  CHECK(error_of({"run", "--sentry_url", "hunter2"}).find("hunter2") == std::string::npos);
}

TEST_CASE("an unknown word gets a suggestion") {
  CHECK(error_of({"chekc"}) == "wsproxy: unknown argument chekc, did you mean check? (see wsproxy --help)\n");
  CHECK(error_of({"run", "--prot", "3"}) ==
        "wsproxy run: unknown argument --prot, did you mean --port? (see wsproxy run --help)\n");
  CHECK(error_of({"run", "check"}).find("unknown argument check") != std::string::npos);
}

TEST_CASE("check needs a file, by option or environment") {
  CHECK(error_of({"check"}).find("--config FILE is missing") != std::string::npos);
  CHECK(parse({"check", "--config", "f"}).arguments->config_file == "f");
  CHECK(parse({"check"}, {{"WS_PROXY_CONFIG", "e"}}).arguments->config_file == "e");
}

TEST_CASE("echo listens beside the proxy and not where the proxy's variables say") {
  const auto parsed = parse({"echo"}, {{"WS_PROXY_PORT", "1"}, {"WS_PROXY_HOST", "::"}});
  CHECK(parsed.arguments->command == Command::echo);
  CHECK(parsed.arguments->host == "127.0.0.1");
  CHECK(parsed.arguments->port == 8008);
  CHECK(parse({"echo", "--host", "::1", "--port", "0"}).arguments->host == "::1");
}

TEST_CASE("connect needs a URL, probe has one") {
  CHECK(error_of({"connect"}).find("URL") != std::string::npos);
  CHECK(parse({"connect", "ws://x"}).arguments->url == "ws://x");
  CHECK_FALSE(parse({"connect", "ws://x"}).arguments->message);
  CHECK(parse({"connect", "ws://x", "--send", "hello"}).arguments->message == "hello");
  CHECK(parse({"connect", "ws://x", "--send", ""}).arguments->message == "");
  CHECK(parse({"probe"}).arguments->url == "http://127.0.0.1:9090/readyz");
  CHECK(parse({"probe", "http://x/"}).arguments->url == "http://x/");
  CHECK(parse({"schema"}).arguments->command == Command::schema);
}

TEST_CASE("tune looks at the side port of this machine for ten seconds, unless it is told otherwise") {
  const auto plain = parse({"tune"});
  REQUIRE(plain.arguments);
  CHECK(plain.arguments->command == Command::tune);
  CHECK(plain.arguments->url == "http://127.0.0.1:9090");
  CHECK(plain.arguments->seconds == 10);
  CHECK_FALSE(plain.arguments->as_json);
  const auto told = parse({"tune", "--json", "http://pod:1", "--seconds", "3600"});
  REQUIRE(told.arguments);
  CHECK(told.arguments->url == "http://pod:1");
  CHECK(told.arguments->seconds == 3600);
  CHECK(told.arguments->as_json);
  CHECK(parse({"tune", "--seconds=0"}).arguments->seconds == 0);
}

TEST_CASE("doctor takes checks, headers and a patience") {
  const auto plain = parse({"doctor", "ws://app"});
  REQUIRE(plain.arguments);
  CHECK(plain.arguments->command == Command::doctor);
  CHECK(plain.arguments->doctor.url == "ws://app");
  CHECK(plain.arguments->doctor.only.empty());
  CHECK_FALSE(plain.arguments->doctor.deep);
  CHECK(plain.arguments->doctor.patience == std::chrono::seconds{5});

  const auto told = parse({"doctor", "--only", "framing", "--only", "closing.tcp", "--deep", "--json",
                           "--header", "Authorization: Bearer a:b", "--timeout", "500ms", "wss://app/ws"});
  INFO(told.error);
  REQUIRE(told.arguments);
  const DoctorOptions& options = told.arguments->doctor;
  CHECK(options.url == "wss://app/ws");
  CHECK(options.only == Words{"framing", "closing.tcp"});
  CHECK(options.headers == std::vector<std::pair<std::string, std::string>>{{"Authorization", "Bearer a:b"}});
  CHECK(options.deep);
  CHECK(options.as_json);
  CHECK(options.patience == std::chrono::milliseconds{500});
}

TEST_CASE("doctor refuses what cannot be meant, and shows no header") {
  CHECK(error_of({"doctor"}).find("URL") != std::string::npos);
  CHECK(error_of({"doctor", "ws://app", "--only", "framing.pin"}).find("did you mean framing.ping?") !=
        std::string::npos);
  CHECK(error_of({"doctor", "ws://app", "--only", ""}).find("there is no check") != std::string::npos);
  CHECK(error_of({"doctor", "ws://app", "--timeout", "5"}).find("--timeout") != std::string::npos);
  CHECK(error_of({"doctor", "ws://app", "--timeout", "1ms"}).find("from 10ms to 10m") != std::string::npos);
  for (const char* header : {"secret", ": secret", "A b: secret", "A: secret\r\nB: c"}) {
    const std::string error = error_of({"doctor", "ws://app", "--header", header});
    CHECK(error.find("must be 'Name: value'") != std::string::npos);
    CHECK(error.find("secret") == std::string::npos);
  }
}

TEST_CASE("doctor keeps what its checks change, but for subprotocols") {
  for (const char* header :
       {"Sec-WebSocket-Key: secret", "sec-websocket-version: 8", "SEC-WEBSOCKET-EXTENSIONS: x"}) {
    const std::string error = error_of({"doctor", "ws://app", "--header", header});
    CHECK(error.find("is the doctor's own") != std::string::npos);
    CHECK(error.find("secret") == std::string::npos);
  }
  CHECK(parse({"doctor", "ws://app", "--header", "sec-websocket-protocol: chat"}).arguments);
}

TEST_CASE("tune looks for an hour at most") {
  for (const char* seconds : {"3601", "-1", "x", "1.5", ""}) {
    CAPTURE(seconds);
    CHECK_THAT(error_of({"tune", "--seconds", seconds}),
               Catch::Matchers::StartsWith("wsproxy tune: --seconds: "));
  }
  CHECK(error_of({"tune", "--second", "1"}).find("did you mean --seconds?") != std::string::npos);
}

}  // namespace
}  // namespace wsproxy::cli
