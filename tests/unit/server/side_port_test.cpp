#include "server/side_port.hpp"

#include <string>

#include <catch2/catch.hpp>
#include <system_error>

#include "side_port_rig.hpp"

using namespace wsproxy::server;
using namespace std::string_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

void answer_at_once(const SideRequest& request, const SideReply& reply) {
  reply(probe(request));
}

}  // namespace

TEST_CASE("a probe gets the handler's status, type and body") {
  const SidePortRig port;
  const auto alive = port.ask(get("/livez"));
  CHECK_THAT(alive, StartsWith("HTTP/1.1 200 OK\r\n"));
  CHECK_THAT(alive, Contains("Content-Type: text/plain\r\n"));
  CHECK_THAT(alive, Contains("Content-Length: 6\r\n"));
  CHECK_THAT(alive, Contains("X-Content-Type-Options: nosniff\r\n"));
  CHECK_THAT(alive, Contains("Cache-Control: no-store\r\n"));
  CHECK_THAT(alive, EndsWith("\r\n\r\nalive\n"));
  CHECK_THAT(port.ask(get("/readyz")), StartsWith("HTTP/1.1 503 ") && EndsWith("draining\n"));
  CHECK_THAT(port.ask(get("/nothing")), StartsWith("HTTP/1.1 404 ") && EndsWith("no such page\n"));
}

TEST_CASE("the handler gets the path and the query apart") {
  const SidePortRig port;
  CHECK_THAT(port.ask(get("/echo")), EndsWith("GET []\n"));
  CHECK_THAT(port.ask(get("/echo?")), EndsWith("GET []\n"));
  CHECK_THAT(port.ask(get("/echo?a=1?b")), EndsWith("GET [a=1?b]\n"));
}

TEST_CASE("RFC 9112 3.2.2: a target in absolute form is understood") {
  const SidePortRig port;
  CHECK_THAT(port.ask(get("http://x:1/echo?q")), EndsWith("GET [q]\n"));
  CHECK_THAT(port.ask(get("http://x")), StartsWith("HTTP/1.1 404 "));
  CHECK_THAT(port.ask(get("*")), StartsWith("HTTP/1.1 404 "));
}

TEST_CASE("HEAD is answered as GET without the body") {
  const SidePortRig port;
  const auto answer = port.ask("HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK_THAT(answer,
             StartsWith("HTTP/1.1 200 ") && Contains("Content-Length: 6\r\n") && EndsWith("\r\n\r\n"));

  auto client = port.client();
  client.send("HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n" + get("/echo"));
  CHECK_THAT(client.receive_until("\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  CHECK_THAT(client.receive_all(), StartsWith("HTTP/1.1 200 ") && EndsWith("GET []\n"));
}

TEST_CASE("POST is for the handler, with its body") {
  const SidePortRig port;
  auto client = port.client();
  client.send("POST /told HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello");
  client.send(
      "POST /told HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  client.send("POST /echo?3 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  CHECK_THAT(client.receive_until("tool\n"), EndsWith("|hello|local|tool\n"));
  CHECK_THAT(client.receive_until("tool\n"), EndsWith("|abc|local|tool\n"));
  CHECK_THAT(client.receive_all(), EndsWith("POST [3]\n"));
}

TEST_CASE("the handler gets what the client accepts, and whether a browser's page sent it") {
  const SidePortRig port;
  CHECK_THAT(port.ask(get("/told", "Accept: text/html\r\nConnection: close\r\n")),
             EndsWith("text/html||remote|tool\n"));  // by a name that is not this machine's
  for (const std::string field : {"Origin: http://x", "Referer: http://x/", "Sec-Fetch-Site: none"}) {
    CHECK_THAT(port.ask(get("/told", field + "\r\nConnection: close\r\n")), EndsWith("||remote|page\n"));
  }
}

TEST_CASE("an answer has the handler's own fields") {
  CHECK_THAT(SidePortRig{}.ask(get("/fields")), Contains("X-One: 1\r\n") && Contains("Vary: Accept\r\n"));
}

TEST_CASE("other methods get 405 and are told which there are") {
  const SidePortRig port;
  for (const std::string method : {"PUT", "DELETE", "OPTIONS", "CONNECT", "BREW"}) {
    INFO(method);
    const auto answer = port.ask(method + " /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK_THAT(answer, StartsWith("HTTP/1.1 405 ") && Contains("Allow: GET, HEAD, POST\r\n"));
  }
}

TEST_CASE("a connection is kept for the next request, also behind an error of the handler") {
  const SidePortRig port;
  auto client = port.client();
  for (const auto* path : {"/livez", "/nothing", "/throw", "/livez"}) {
    client.send(get(path, ""));
    const auto head = client.receive_until("\r\n\r\n");
    CHECK_THAT(head, StartsWith("HTTP/1.1 "));
    CHECK(head.find("Connection: close") == std::string::npos);
    CHECK_THAT(client.receive_until("\n"), EndsWith("\n"));
  }
}

TEST_CASE("an answer without a body does not swallow the next one") {
  const SidePortRig port;
  CHECK_THAT(port.ask(get("/empty", "") + get("/livez")), StartsWith("HTTP/1.1 204 ") && EndsWith("alive\n"));
}

TEST_CASE("HTTP/1.0 is closed after the answer unless it asks for more") {
  const SidePortRig port;
  CHECK_THAT(port.ask("GET /livez HTTP/1.0\r\n\r\n"), Contains(" 200 ") && EndsWith("alive\n"));
  auto client = port.client();
  client.send("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK_THAT(client.receive_until("alive\n"), Contains("Connection: keep-alive\r\n"));
  CHECK_THAT(client.send("GET /livez HTTP/1.0\r\n\r\n").receive_all(), EndsWith("alive\n"));
}

TEST_CASE("pipelined requests are answered in order") {
  const SidePortRig port;
  std::string requests;
  for (int i = 0; i < 300; ++i) requests += get("/echo?" + std::to_string(i), "");
  auto client = port.client();
  client.send(requests);
  for (int i = 0; i < 300; ++i) {
    CHECK_THAT(client.receive_until("]\n"), EndsWith("GET [" + std::to_string(i) + "]\n"));
  }
}

TEST_CASE("a request that comes byte by byte is a request") {
  const SidePortRig port;
  auto client = port.client();
  for (const char byte : get("/livez")) client.send({&byte, 1});
  CHECK_THAT(client.receive_all(), StartsWith("HTTP/1.1 200 "));
}

TEST_CASE("an exception of the handler is a 500 that tells nothing") {
  const SidePortRig port;
  CHECK_THAT(port.ask(get("/throw")), StartsWith("HTTP/1.1 500 ") && EndsWith("Internal Server Error\n"));
  CHECK_THAT(port.ask(get("/throw-int")), StartsWith("HTTP/1.1 500 "));
}

TEST_CASE("a port in use is named in one line") {
  const SidePort first("127.0.0.1", 0, answer_at_once);
  try {
    const SidePort second("127.0.0.1", first.port(), answer_at_once);
    FAIL("it listened twice");
  } catch (const std::system_error& error) {
    CHECK(error.code() == std::errc::address_in_use);
    CHECK(std::string(error.what()) == "side port: cannot listen on 127.0.0.1 port " +
                                           std::to_string(first.port()) + ": Address already in use");
  }
}

TEST_CASE("an address that is not one, or not ours, is named in one line") {
  for (const std::string& host : {std::string("192.0.2.1"), std::string(70, 'x')}) {
    INFO(host);
    try {
      const SidePort port(host, 0, answer_at_once);
      FAIL("it listened");
    } catch (const std::system_error& error) {
      const std::string text = error.what();
      CHECK_THAT(text, StartsWith("side port: cannot listen on " + host + " port 0: "));
      CHECK(text.find('\n') == std::string::npos);
    }
  }
}

TEST_CASE("it listens on IPv6 and on names") {
  const SidePort named("localhost", 0, answer_at_once);
  CHECK(named.port() != 0);
  const SidePort v6("::1", 0, answer_at_once);
  CHECK(v6.port() != 0);
}
