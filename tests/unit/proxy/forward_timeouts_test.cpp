#include <catch2/catch.hpp>

#include "support/session_rig.hpp"

using namespace wsproxy;
using namespace std::chrono_literals;
using test::Peer;
using test::SessionRig;

namespace {

constexpr auto kTick = 1ns;
const std::string kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

config::Config settings() {
  config::Config config;
  config.timeouts.handshake = 10s;
  config.timeouts.idle = 0s;
  config.http.client_timeout = 60s;
  config.http.response_timeout = 40s;
  return config;
}

std::string status_line(const std::string& answer) {
  return answer.substr(0, answer.find("\r\n"));
}

std::unique_ptr<Peer> ask(SessionRig& rig, const std::string& request) {
  rig.start_app();
  rig.client.say(request);
  rig.settle();
  auto app = rig.app_is_called();
  REQUIRE(app != nullptr);
  return app;
}

/// A client that has had one answer; its connection goes on.
struct Answered : SessionRig {
  explicit Answered(config::Config config) : SessionRig(std::move(config)) {
    app = ask(*this, kGet);
    app->hear();
    app->say(kAnswer);
    settle();
    REQUIRE(client.hear().ends_with("\r\n\r\nok"));
  }
  std::unique_ptr<Peer> app;
};

}  // namespace

TEST_CASE("Between two requests a client is let go without a word at http.client_timeout") {
  Answered rig(settings());
  rig.pass(60s - kTick);
  CHECK_FALSE(rig.client.is_over());
  rig.pass(kTick);
  CHECK(rig.client.hear().empty());
  CHECK(rig.client.is_over());
  CHECK(rig.is_gone());
}

TEST_CASE("A second request that has begun has timeouts.handshake from its first byte, then it is 408") {
  Answered rig(settings());
  rig.pass(59s);
  rig.client.say("GET");
  for (int second = 0; second < 9; ++second) {
    rig.pass(1s);
    rig.client.say(" ");
  }
  rig.pass(1s - kTick);
  CHECK(rig.client.hear().empty());
  rig.pass(kTick);
  CHECK(status_line(rig.client.hear()) == "HTTP/1.1 408 Request Timeout");
}

TEST_CASE("An app that owes the head of its answer is 504 at http.response_timeout") {
  SessionRig rig(settings());
  const auto app = ask(rig, kGet);
  app->say("HTTP/1.1 200 OK\r\n");
  rig.pass(40s - kTick);
  CHECK(rig.client.hear().empty());
  rig.pass(kTick);
  CHECK(status_line(rig.client.hear()) == "HTTP/1.1 504 Gateway Timeout");
  app->hear();
  CHECK(app->is_over());
}

TEST_CASE("An app whose answer has begun may be silent for ever") {
  SessionRig rig(settings());
  const auto app = ask(rig, kGet);
  app->say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
  rig.settle();
  CHECK(rig.client.hear().ends_with("data: 1\n\n"));
  for (int hour = 0; hour < 100; ++hour) rig.pass(1h);
  CHECK_FALSE(rig.client.is_over());
  app->say("data: 2\n\n");
  rig.settle();
  CHECK(rig.client.hear() == "data: 2\n\n");
}

TEST_CASE("With timeouts.idle an answer that stands still is cut, counted from its last byte") {
  auto config = settings();
  config.timeouts.idle = 90s;
  SessionRig rig(config);
  const auto app = ask(rig, kGet);
  app->say("HTTP/1.1 200 OK\r\n\r\nbegin");
  rig.pass(90s - kTick);
  app->say(", go on");
  rig.pass(90s - kTick);
  CHECK(rig.client.hear().ends_with("begin, go on"));
  CHECK_FALSE(rig.client.is_over());
  rig.pass(kTick);
  CHECK(rig.client.is_over());
  app->hear();
  CHECK(app->is_over());
}

TEST_CASE("A client that owes its body is 408 at http.client_timeout, counted from its last byte") {
  SessionRig rig(settings());
  const auto app = ask(rig, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  rig.pass(60s - kTick);
  rig.client.say("d");
  rig.pass(60s - kTick);
  CHECK(rig.client.hear().empty());
  CHECK(app->hear().ends_with("\r\n\r\nabcd"));
  rig.pass(kTick);
  CHECK(status_line(rig.client.hear()) == "HTTP/1.1 408 Request Timeout");
  CHECK(app->is_over());
}

TEST_CASE("A client that does not take its answer is let go at http.client_timeout") {
  SessionRig rig(settings());
  const auto app = ask(rig, kGet);
  app->say("HTTP/1.1 200 OK\r\n\r\n");
  const std::string much(1 << 20, 'x');
  while (app->try_say(much) > 0) rig.settle();
  rig.pass(60s - kTick);
  CHECK_FALSE(rig.is_gone());
  rig.pass(kTick);
  CHECK(rig.is_gone());
}

TEST_CASE("An app that does not take the request is 504 at http.response_timeout") {
  SessionRig rig(settings());
  const auto app = ask(rig, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n");
  const std::string much(1 << 20, 'x');
  while (rig.client.try_say(much) > 0) rig.settle();
  rig.pass(40s - kTick);
  CHECK(rig.client.hear().empty());
  rig.pass(kTick);
  CHECK(status_line(rig.client.hear()) == "HTTP/1.1 504 Gateway Timeout");
}

TEST_CASE("An app that refuses connections is 502 at upstream.connect_timeout") {
  auto config = settings();
  config.upstream.connect_timeout = 5s;
  SessionRig rig(config);
  rig.client.say(kGet);
  for (int i = 0; i < 49; ++i) rig.pass(100ms);
  rig.pass(100ms - kTick);
  CHECK(rig.client.hear().empty());
  rig.pass(kTick);
  CHECK(status_line(rig.client.hear()) == "HTTP/1.1 502 Bad Gateway");
}
