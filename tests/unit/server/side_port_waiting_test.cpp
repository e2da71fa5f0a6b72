#include <vector>

#include <catch2/catch.hpp>

#include "server/side_port.hpp"
#include "side_port_rig.hpp"

using namespace wsproxy::server;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

TEST_CASE("an answer may come later, and meanwhile others are served") {
  SidePortRig port({2, 30ms});
  auto client = port.client();
  client.send(get("/wait", "") + get("/echo"));
  const SideReply reply = port.waiting.take();
  for (int i = 0; i < 5; ++i) CHECK(port.still_answers());
  auto silent = port.client();
  CHECK(silent.is_closed());  // long after the deadline of a request
  reply({200, "text/plain", "at last\n"});
  reply({200, "text/plain", "once more\n"});
  CHECK_THAT(client.receive_until("at last\n"), EndsWith("at last\n"));
  CHECK_THAT(client.receive_all(), StartsWith("HTTP/1.1 200 ") && EndsWith("GET []\n"));
}

TEST_CASE("who hangs up while its answer is thought of gives its place back") {
  SidePortRig port({1, 10s});
  {
    auto client = port.client();
    client.send(get("/wait"));
  }
  const SideReply reply = port.waiting.take();
  CHECK(soon([&port] { return port.still_answers(); }));
  reply({200, "text/plain", "to nobody\n"});
  CHECK(port.still_answers());
}

TEST_CASE("an answer that was given is still sent at the end, and none is after it") {
  SidePortRig port;
  auto given = port.client();
  auto open = port.client();
  given.send(get("/wait"));
  const SideReply reply = port.waiting.take();
  open.send(get("/wait"));
  const SideReply late = port.waiting.take();
  reply({200, "text/plain", "goodbye\n"});
  port.end();
  CHECK_THAT(given.receive_all(), EndsWith("goodbye\n"));
  CHECK(open.is_closed());
  late({200, "text/plain", "too late\n"});
}

TEST_CASE("a request is told how many others wait, and not of those who have left") {
  SidePortRig port;
  auto stays = port.client();
  stays.send(get("/wait"));
  const SideReply first = port.waiting.take();
  {
    auto leaves = port.client();
    leaves.send(get("/wait"));
    const SideReply second = port.waiting.take();
    CHECK_THAT(port.ask(get("/waiting")), EndsWith("\n2\n"));
  }
  CHECK(soon([&port] { return port.ask(get("/waiting")).ends_with("\n1\n"); }));
  first({200, "text/plain", "done\n"});
  CHECK_THAT(stays.receive_all(), EndsWith("done\n"));
}

TEST_CASE("above the limit nobody goes whose answer is thought of") {
  SidePortRig port({2, 10s});
  std::vector<SideClient> waiting;
  for (int i = 0; i < 2; ++i) {
    waiting.push_back(port.client());
    waiting.back().send(get("/wait"));
  }
  const SideReply first = port.waiting.take();
  const SideReply second = port.waiting.take();
  CHECK(port.client().is_closed());
  first({200, "text/plain", "1\n"});
  second({200, "text/plain", "2\n"});
  for (SideClient& one : waiting) CHECK_THAT(one.receive_all(), StartsWith("HTTP/1.1 200 "));
}

TEST_CASE("the side port ends with connections open") {
  std::vector<SideClient> clients;
  {
    const SidePortRig port;
    for (int i = 0; i < 5; ++i) clients.push_back(port.client());
    clients[0].send("GET /li");
    clients[1].send(get("/big", ""));
    clients[2].send(get("/livez", ""));
    CHECK_THAT(clients[2].receive_until("alive\n"), EndsWith("alive\n"));
  }
  for (auto& client : clients) CHECK_THAT(client.receive_all(), !Contains("<timeout>"));
}
