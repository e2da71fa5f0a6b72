#include "doctor/upgrade.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::doctor {
namespace {

Target some_target() {
  Target target;
  target.authority = "app.example:8443";
  target.path = "/chat?room=1";
  target.headers = {{"Authorization", "Bearer secret"}};
  return target;
}

http::ResponseHead good_answer() {
  http::ResponseHead head;
  head.status = 101;
  head.fields.add("upgrade", "WebSocket");
  head.fields.add("connection", "keep-alive, Upgrade");
  head.fields.add("sec-websocket-accept", "zWQjPaPZmPJx7Uq/x1itHTozR4o=");
  return head;
}

TEST_CASE("the request is that of RFC 6455 4.1, with what the target asks for") {
  CHECK(UpgradeRequest{some_target()}.text() ==
        "GET /chat?room=1 HTTP/1.1\r\nHost: app.example:8443\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: d3Nwcm94eSBkb2N0b3IuLg==\r\nSec-WebSocket-Version: 13\r\n"
        "User-Agent: wsproxy-doctor\r\nAuthorization: Bearer secret\r\n\r\n");
}

TEST_CASE("what the target asks for takes the place of our own") {
  Target target = some_target();
  target.headers = {{"host", "other.example"}, {"X-Many", "1"}, {"X-Many", "2"}, {"USER-AGENT", "me"}};
  CHECK(UpgradeRequest{target}.text() ==
        "GET /chat?room=1 HTTP/1.1\r\nHost: other.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: d3Nwcm94eSBkb2N0b3IuLg==\r\nSec-WebSocket-Version: 13\r\n"
        "User-Agent: me\r\nX-Many: 1\r\nX-Many: 2\r\n\r\n");
}

TEST_CASE("fields are found by their names in any case") {
  Target target = some_target();
  target.headers = {{"sec-websocket-protocol", "v1"}, {"Sec-WebSocket-Protocol", "v2"}};
  UpgradeRequest request{target};
  http::ResponseHead answer = good_answer();
  answer.fields.add("Sec-WebSocket-Protocol", "v2");
  CHECK(problem_with_answer(request, answer).empty());
  request.remove("Sec-WebSocket-Protocol").set("HOST", "h");
  CHECK(request.value("Sec-WebSocket-Protocol").empty());
  CHECK(request.value("Host") == "h");
  CHECK_FALSE(problem_with_answer(request, answer).empty());
}

TEST_CASE("any part of it can be changed") {
  UpgradeRequest request{some_target()};
  request.set("Upgrade", "WebSocket", "UPGRADE").remove("Host").add("X-More", "1");
  const std::string text = request.text();
  CHECK(text.find("UPGRADE: WebSocket\r\n") != std::string::npos);
  CHECK(text.find("Host:") == std::string::npos);
  CHECK(text.find("X-More: 1\r\n") != std::string::npos);
  CHECK(request.value("upgrade") == "WebSocket");
}

TEST_CASE("answers that a client has to fail for") {
  UpgradeRequest request{some_target()};
  CHECK(problem_with_answer(request, good_answer()).empty());

  http::ResponseHead no_upgrade = good_answer();
  no_upgrade.fields = {};
  CHECK(problem_with_answer(request, no_upgrade).starts_with("Upgrade is"));

  http::ResponseHead no_connection;
  no_connection.fields.add("Upgrade", "websocket");
  CHECK(problem_with_answer(request, no_connection).starts_with("Connection is"));

  http::ResponseHead two_accepts = good_answer();
  two_accepts.fields.add("Sec-WebSocket-Accept", "zWQjPaPZmPJx7Uq/x1itHTozR4o=");
  CHECK(problem_with_answer(request, two_accepts).starts_with("Sec-WebSocket-Accept is"));

  http::ResponseHead other = good_answer();
  other.fields.add("Sec-WebSocket-Protocol", "v3");
  CHECK(problem_with_answer(request, other).starts_with("the subprotocol"));
  request.add("Sec-WebSocket-Protocol", "v2, v3");
  CHECK(problem_with_answer(request, other).empty());
}

}  // namespace
}  // namespace wsproxy::doctor
