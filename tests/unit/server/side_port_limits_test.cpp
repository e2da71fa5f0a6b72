#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "server/side_port.hpp"
#include "side_port_rig.hpp"

using namespace wsproxy::server;
using namespace std::chrono_literals;
using namespace std::string_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

TEST_CASE("what is malformed gets 400 and the connection ends") {
  const SidePortRig port;
  const std::array<std::string, 10> malformed{
      "\r\n\r\n\r\n",
      "GET\r\n\r\n",
      "GET /livez\r\n\r\n",
      "GET /livez HTTP/9.9\r\nHost: x\r\n\r\n",
      "GET /\0livez HTTP/1.1\r\nHost: x\r\n\r\n"s,
      "GET /livez HTTP/1.1\r\nHost : x\r\n\r\n",
      "GET /livez HTTP/1.1\r\n\r\n",
      "GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
      "POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client hello \r\n\r\n",
  };
  for (const auto& request : malformed) {
    INFO(request);
    const auto answer = port.ask(request);
    CHECK_THAT(answer,
               StartsWith("HTTP/1.1 400 ") && Contains("Connection: close\r\n") && EndsWith("Bad Request\n"));
  }
  CHECK(port.still_answers());
}

TEST_CASE("a head of more than 8 KiB gets 431, one of less is served") {
  const SidePortRig port;
  const auto padded = [](std::size_t size) {
    return get("/livez", "X: " + std::string(size, 'x') + "\r\nConnection: close\r\n");
  };
  CHECK_THAT(port.ask(padded(8'000)), StartsWith("HTTP/1.1 200 "));
  CHECK_THAT(port.ask(padded(8'192)), StartsWith("HTTP/1.1 431 ") && Contains("Connection: close\r\n"));
  CHECK_THAT(port.ask(padded(1'000'000)), StartsWith("HTTP/1.1 431 ") && !Contains("<cut>"));
  CHECK_THAT(port.ask(std::string(100'000, 'x')), StartsWith("HTTP/1.1 4"));
}

TEST_CASE("a body of more than 64 KiB gets 413, one of 64 KiB is read") {
  const SidePortRig port;
  const auto post = [](std::size_t size) {
    return "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + std::to_string(size) +
           "\r\n\r\n" + std::string(size, 'x');
  };
  CHECK_THAT(port.ask(post(65'536)), StartsWith("HTTP/1.1 200 "));
  CHECK_THAT(port.ask(post(65'537)), StartsWith("HTTP/1.1 413 "));
  CHECK_THAT(port.ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n\r\n"),
             StartsWith("HTTP/1.1 4"));
  std::string chunks = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 20; ++i) chunks += "1000\r\n" + std::string(0x1000, 'x') + "\r\n";
  CHECK_THAT(port.ask(chunks), StartsWith("HTTP/1.1 413 "));
}

TEST_CASE("a request that takes too long is closed without a word") {
  const SidePortRig port({64, 30ms});
  CHECK(port.ask("").empty());
  CHECK(port.ask("GET /livez HTT").empty());
  CHECK(port.ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel").empty());
  CHECK(port.still_answers());
}

TEST_CASE("dripping bytes do not move the deadline") {
  const SidePortRig port({64, 50ms});
  auto client = port.client();
  client.send("GET /");
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < 2s) {
    client.send("x");
    if (port.client().is_closed()) break;  // itself closed 50 ms later: a second client is the clock here
  }
  CHECK(client.is_closed());
  CHECK(std::chrono::steady_clock::now() - begin < 1s);
}

TEST_CASE("a client that does not read its answer is closed") {
  const SidePortRig port({1, 50ms});
  auto deaf = port.client();
  deaf.send(get("/big", ""));
  // The only place is free again when the deaf client has been closed.
  CHECK(soon([&port] { return port.still_answers(); }));
}

TEST_CASE("above the limit the one that is longest without an answer goes") {
  const SidePortRig port({3, 10s});
  std::vector<SideClient> inside;
  for (int i = 0; i < 3; ++i) {
    inside.push_back(port.client());
    inside.back().send(get("/livez", ""));
    CHECK_THAT(inside.back().receive_until("alive\n"), EndsWith("alive\n"));
  }
  inside[0].send(get("/livez", ""));
  CHECK_THAT(inside[0].receive_until("alive\n"), EndsWith("alive\n"));
  CHECK(port.still_answers());
  CHECK(inside[1].is_closed());
  for (const int i : {0, 2}) {
    inside[i].send(get("/livez", ""));
    CHECK_THAT(inside[i].receive_until("alive\n"), EndsWith("alive\n"));
  }
}

TEST_CASE("clients that leave in the middle disturb nobody") {
  const SidePortRig port;
  const auto request = get("/livez");
  for (std::size_t size = 0; size < request.size(); ++size) {
    port.client().send(request.substr(0, size));
    auto half_closed = port.client();
    half_closed.send(request.substr(0, size)).finish_sending();
    CHECK(half_closed.is_closed());
  }
  CHECK(port.still_answers());
}
