#include <catch2/catch.hpp>

#include "support/session_rig.hpp"

using namespace wsproxy;
using namespace std::chrono_literals;
using telemetry::Rejection;
using test::Peer;
using test::SessionRig;

namespace {

constexpr auto kTick = 1ns;
constexpr auto kLongestRetryPause = 500ms;

const std::string kUpgrade =
    "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

std::string status_line(const std::string& answer) {
  return answer.substr(0, answer.find("\r\n"));
}

std::uint64_t rejected(SessionRig& rig, Rejection reason) {
  return rig.counters().rejected[static_cast<std::size_t>(reason)];
}

std::uint64_t failed(SessionRig& rig, telemetry::UpstreamError reason) {
  return rig.counters().upstream_errors[static_cast<std::size_t>(reason)];
}

std::string answer_to_plain_request(SessionRig& rig) {
  rig.client.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  rig.settle();
  const auto app = rig.app_is_called();
  REQUIRE(app);
  app->hear();
  app->say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  rig.settle();
  return rig.client.hear();
}

config::Config settings() {
  config::Config config;
  config.timeouts.handshake = 10s;
  config.timeouts.close = 5s;
  config.upstream.connect_timeout = 5s;
  config.upstream.response_timeout = 20s;
  return config;
}

}  // namespace

TEST_CASE("Bytes that trickle do not extend timeouts.handshake: 408 at its end, and not before") {
  SessionRig rig(settings());
  for (int second = 0; second < 9; ++second) {
    rig.client.say(kUpgrade.substr(static_cast<std::size_t>(second), 1));
    rig.pass(1s);
  }
  rig.client.say(kUpgrade.substr(9, 1));
  rig.pass(1s - kTick);
  CHECK(rig.client.hear().empty());
  CHECK_FALSE(rig.client.is_over());
  rig.pass(kTick);
  CHECK(status_line(rig.client.hear()) == "HTTP/1.1 408 Request Timeout");
  CHECK(rig.client.is_over());
  CHECK(rejected(rig, Rejection::handshake_timeout) == 1);
}

TEST_CASE("A client that says nothing is let go without a word at timeouts.handshake") {
  SessionRig rig(settings());
  rig.pass(10s - kTick);
  CHECK_FALSE(rig.client.is_over());
  CHECK_FALSE(rig.is_gone());
  rig.pass(kTick);
  CHECK(rig.client.hear().empty());
  CHECK(rig.client.is_over());
  CHECK(rig.is_gone());
  CHECK(rejected(rig, Rejection::handshake_timeout) == 1);
}

TEST_CASE("A PROXY header that trickles is cut at timeouts.handshake, without an answer") {
  auto config = settings();
  config.listeners.at(0).proxy_protocol = true;
  SessionRig rig(config);
  for (const char byte : std::string{"PROXY TCP"}) {
    rig.client.say(std::string(1, byte));
    rig.pass(1s);
  }
  rig.pass(1s - kTick);
  CHECK_FALSE(rig.client.is_over());
  rig.pass(kTick);
  CHECK(rig.client.hear().empty());
  CHECK(rig.client.is_over());
  CHECK(rejected(rig, Rejection::proxy_protocol) == 1);
}

TEST_CASE("What the PROXY header took of timeouts.handshake is gone for the request") {
  auto config = settings();
  config.listeners.at(0).proxy_protocol = true;
  SessionRig rig(config);
  rig.pass(9s);
  rig.client.say("PROXY UNKNOWN\r\nGET");
  rig.pass(1s - kTick);
  CHECK_FALSE(rig.client.is_over());
  rig.pass(kTick);
  CHECK(status_line(rig.client.hear()) == "HTTP/1.1 408 Request Timeout");
}

TEST_CASE(
    "Who was refused and does not hang up is let go after two seconds, or timeouts.close if that is less") {
  const bool is_hasty = GENERATE(false, true);
  auto config = settings();
  if (is_hasty) config.timeouts.close = 300ms;
  const net::Clock::duration patience = is_hasty ? 300ms : 2000ms;
  SessionRig rig(config);
  rig.client.say("nonsense\r\n\r\n");
  rig.settle();
  CHECK(status_line(rig.client.hear()) == "HTTP/1.1 400 Bad Request");
  rig.pass(patience - kTick);
  CHECK_FALSE(rig.is_gone());
  rig.pass(kTick);
  CHECK(rig.is_gone());
}

TEST_CASE("An app that refuses connections is asked again until upstream.connect_timeout, then it is 502") {
  SessionRig rig(settings());
  rig.client.say(kUpgrade);
  for (int i = 0; i < 49; ++i) rig.pass(100ms);
  rig.pass(100ms - kTick);
  CHECK(rig.client.hear().empty());
  rig.pass(kTick);
  CHECK(status_line(rig.client.hear()) == "HTTP/1.1 502 Bad Gateway");
  CHECK(failed(rig, telemetry::UpstreamError::connect) == 1);
}

TEST_CASE("An app that starts while it is being asked gets the request") {
  SessionRig rig(settings());
  rig.client.say(kUpgrade);
  for (int i = 0; i < 40; ++i) rig.pass(100ms);
  CHECK(rig.app_is_called() == nullptr);
  rig.start_app();
  rig.pass(kLongestRetryPause);
  const auto app = rig.app_is_called();
  REQUIRE(app != nullptr);
  CHECK(status_line(app->hear()) == "GET /chat HTTP/1.1");
  CHECK(rig.client.hear().empty());
}

TEST_CASE("An app's host that does not answer at all is 502 at upstream.connect_timeout") {
  SessionRig rig(settings());
  rig.start_app(0);
  std::vector<Peer> others;
  for (int i = 0; i < 3; ++i) others.push_back(rig.occupy_app());
  rig.client.say(kUpgrade);
  rig.pass(5s - kTick);
  CHECK(rig.client.hear().empty());
  rig.pass(kTick);
  CHECK(status_line(rig.client.hear()) == "HTTP/1.1 502 Bad Gateway");
  CHECK(failed(rig, telemetry::UpstreamError::connect_timeout) == 1);
}

TEST_CASE(
    "An app that does not answer the upgrade is 504 at upstream.response_timeout, however it trickles") {
  SessionRig rig(settings());
  rig.start_app();
  rig.pass(4s);  // of the handshake's time, which is none of the app's
  rig.client.say(kUpgrade);
  rig.settle();
  const auto app = rig.app_is_called();
  REQUIRE(app != nullptr);
  for (const char byte : std::string{"HTTP/1.1 101 Switc"}) {
    app->say(std::string(1, byte));
    rig.pass(1s);
  }
  rig.pass(2s - kTick);
  CHECK(rig.client.hear().empty());
  CHECK_FALSE(app->is_over());
  rig.pass(kTick);
  CHECK(status_line(rig.client.hear()) == "HTTP/1.1 504 Gateway Timeout");
  app->hear();
  CHECK(app->is_over());
  CHECK(failed(rig, telemetry::UpstreamError::response_timeout) == 1);
}

TEST_CASE("Once the request is there, timeouts.handshake is over: the app may take its time") {
  auto config = settings();
  config.upstream.response_timeout = 60s;
  SessionRig rig(config);
  rig.start_app();
  rig.client.say(kUpgrade);
  rig.pass(60s - kTick);
  CHECK(rig.client.hear().empty());
  CHECK_FALSE(rig.is_gone());
}

TEST_CASE("A drain lets who has just come speak first, and answers what they ask") {
  SessionRig rig(settings());
  rig.start_app();
  const auto spread = GENERATE(0s, 3s);
  rig.session().drain(net::Clock::now() + spread);
  rig.settle();
  CHECK_FALSE(rig.client.is_over());
  SECTION("with a request") {
    const std::string answer = answer_to_plain_request(rig);
    CHECK(answer.ends_with("\r\n\r\nok"));
    CHECK(answer.find("Connection: close") != std::string::npos);
  }
  SECTION("with an upgrade, whose turn may be over") {
    rig.client.say(kUpgrade);
    rig.pass(spread);
    CHECK(status_line(rig.client.hear()).starts_with("HTTP/1.1 503 "));
  }
  SECTION("with nothing") {
    rig.pass(std::max<net::Clock::duration>(spread, 1s) - kTick);
    CHECK_FALSE(rig.client.is_over());
    rig.pass(kTick);
    CHECK(rig.client.is_over());
    CHECK(rig.client.hear().empty());
    CHECK(rig.counters().rejected == telemetry::Counters{}.rejected);
  }
}

TEST_CASE("A drain lets go at once who has had an answer and asks nothing more") {
  SessionRig rig(settings());
  rig.start_app();
  CHECK(answer_to_plain_request(rig).ends_with("\r\n\r\nok"));
  CHECK_FALSE(rig.client.is_over());
  rig.session().drain(net::Clock::now() + 3s);
  rig.settle();
  CHECK(rig.client.is_over());
}
