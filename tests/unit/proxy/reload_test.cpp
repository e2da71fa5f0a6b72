#include <numeric>

#include <catch2/catch.hpp>

#include "config/address.hpp"
#include "support/frame_bytes.hpp"
#include "support/session_rig.hpp"

/// What a connection that is open makes of another configuration.
using namespace wsproxy;
using namespace std::chrono_literals;
using test::Peer;
using test::SessionRig;

namespace {

const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const std::string kUpgrade =
    "GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const std::string kSwitched =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

std::string request(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

/// One plain request and its answer.
void exchange(SessionRig& rig, std::unique_ptr<Peer>& app, const std::string& path) {
  rig.client.say(request(path));
  rig.settle();
  if (auto called = rig.app_is_called()) app = std::move(called);
  REQUIRE(app != nullptr);
  app->hear();
  app->say(kAnswer);
  rig.settle();
}

void add_dead_route(config::Config& config, const std::string& path) {
  config.routes.push_back({{"", path}, config.upstream, config.compression, config.limits});
  config.routes.back().upstream.url = *config::parse_upstream_url("ws://127.0.0.1:1");
  config.routes.back().upstream.connect_timeout = 1ms;
}

}  // namespace

TEST_CASE("The next request of an open connection goes by the new routes") {
  SessionRig rig;
  rig.start_app();
  std::unique_ptr<Peer> app;
  exchange(rig, app, "/one");
  CHECK(rig.client.hear().ends_with("ok"));
  rig.reload([](config::Config& config) { add_dead_route(config, "/two"); });
  exchange(rig, app, "/one");
  CHECK(rig.client.hear().ends_with("ok"));
  rig.client.say(request("/two"));
  rig.pass(10ms);
  CHECK(rig.client.hear().starts_with("HTTP/1.1 502 "));
}

TEST_CASE("A request that is under way keeps its route, and its app's pool place") {
  SessionRig rig([] {
    config::Config config;
    add_dead_route(config, "/dead");
    return config;
  }());
  rig.start_app();
  rig.client.say(request("/one"));
  rig.settle();
  auto app = rig.app_is_called();
  REQUIRE(app);
  rig.reload([](config::Config& config) { config.routes.clear(); });
  app->hear();
  app->say(kAnswer);
  rig.settle();
  CHECK(rig.client.hear().ends_with("ok"));
  // The app of the upstream is the same one: its connection is used again.
  exchange(rig, app, "/dead");
  CHECK(rig.client.hear().ends_with("ok"));
  CHECK(rig.app_is_called() == nullptr);
}

TEST_CASE("A WebSocket keeps its limits, and its drain tells the new close code") {
  config::Config config;
  config.limits.max_message_size = 100;
  SessionRig rig(std::move(config));
  rig.start_app();
  rig.client.say(kUpgrade);
  rig.settle();
  auto app = rig.app_is_called();
  REQUIRE(app);
  app->hear();
  app->say(kSwitched);
  rig.settle();
  rig.client.hear();
  rig.reload([](config::Config& next) {
    next.limits.max_message_size = 1;
    next.drain.close_code = 1012;
  });
  rig.client.say(test::FrameBytes{}.fin().text().masked().payload("hello").build());
  rig.settle();
  CHECK(app->hear().size() == 2 + 4 + 5);
  rig.session().drain(net::Clock::now());
  rig.settle();
  CHECK(rig.client.hear().substr(2, 2) == std::string{"\x03\xf4"});
}

TEST_CASE("A listener that only has another name is the same one") {
  config::Config config;
  config.listeners[0].name = "old";
  SessionRig rig(std::move(config));
  rig.start_app();
  std::unique_ptr<Peer> app;
  exchange(rig, app, "/one");
  rig.client.hear();
  rig.reload([](config::Config& next) {
    next.listeners[0].name = "new";
    add_dead_route(next, "/two");
  });
  rig.client.say(request("/two"));
  rig.pass(10ms);
  CHECK(rig.client.hear().starts_with("HTTP/1.1 502 "));
}

TEST_CASE("A connection whose listener is gone stays as it is, counted where it was") {
  config::Config config;
  config.listeners[0].name = "old";
  SessionRig rig(std::move(config));
  rig.start_app();
  std::unique_ptr<Peer> app;
  exchange(rig, app, "/one");
  rig.reload([](config::Config& next) {
    next.listeners[0].name = "new";
    next.listeners[0].address.port = 1;
    add_dead_route(next, "/two");
  });
  CHECK(rig.counters().listeners.at("old").active == 1);
  CHECK(rig.counters().listeners.at("new").active == 0);
  exchange(rig, app, "/two");
  CHECK(rig.client.hear().ends_with("okHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  rig.client.hang_up();
  rig.settle();
  CHECK(rig.counters().listeners.at("old").active == 0);
  rig.reload([](config::Config&) {});
  CHECK_FALSE(rig.counters().listeners.contains("old"));
  const auto& gone = rig.counters().listeners_gone;
  CHECK(gone.active == 0);
  CHECK(std::accumulate(gone.total.begin(), gone.total.end(), std::uint64_t{0}) == 1);
}
