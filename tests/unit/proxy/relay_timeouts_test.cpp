#include <catch2/catch.hpp>

#include "support/frame_bytes.hpp"
#include "support/relay_rig.hpp"
#include "support/session_rig.hpp"
#include "websocket/handshake.hpp"

using namespace wsproxy;
using namespace std::chrono_literals;
using test::FrameBytes;
using test::Peer;
using test::SeenMessage;
using test::SessionRig;

namespace {

constexpr auto kTick = 1ns;
constexpr unsigned kClose = 8;
constexpr unsigned kPing = 9;

std::vector<std::byte> pong(const std::string& payload) {
  return FrameBytes{}.fin().pong().masked().payload(payload).build();
}

/// A relayed connection, both ends of it past the handshake.
class Relayed {
 public:
  explicit Relayed(config::Config config) : rig(std::move(config)) {
    rig.start_app();
    rig.client.say(
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    rig.settle();
    app = rig.app_is_called();
    REQUIRE(app != nullptr);
    app->hear();
    app->say(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    rig.settle();
    REQUIRE(rig.client.hear().starts_with("HTTP/1.1 101 "));
  }

  void client_says(const std::vector<std::byte>& bytes) {
    rig.client.say(bytes);
    rig.settle();
  }
  void app_says(const std::vector<std::byte>& bytes) {
    app->say(bytes);
    rig.settle();
  }
  /// The messages and control frames that have come since the last time.
  std::vector<SeenMessage> client_hears() { return fresh(client_sink_, rig.client, client_seen_); }
  std::vector<SeenMessage> app_hears() { return fresh(app_sink_, *app, app_seen_); }
  /// That neither end has heard anything, and that the connection stands.
  void check_quiet() {
    CHECK(client_hears().empty());
    CHECK(app_hears().empty());
    CHECK_FALSE(rig.client.is_over());
    CHECK_FALSE(app->is_over());
    CHECK_FALSE(rig.is_gone());
  }

  SessionRig rig;
  std::unique_ptr<Peer> app;

 private:
  static std::vector<SeenMessage> fresh(test::Sink& sink, Peer& peer, std::size_t& seen) {
    sink.write(base::as_bytes(peer.hear()));
    const auto& all = sink.messages();
    std::vector<SeenMessage> result(all.begin() + static_cast<std::ptrdiff_t>(seen), all.end());
    seen = all.size();
    return result;
  }

  test::Sink client_sink_;
  test::Sink app_sink_;
  std::size_t client_seen_ = 0;
  std::size_t app_seen_ = 0;
};

config::Config settings() {
  config::Config config;
  config.timeouts = {.handshake = 10s, .ping_interval = 30s, .ping_timeout = 10s, .idle = 0s, .close = 5s};
  return config;
}

std::string ping_at(Relayed& relayed, net::Clock::duration after) {
  relayed.rig.pass(after - kTick);
  relayed.check_quiet();
  relayed.rig.pass(kTick);
  const auto heard = relayed.client_hears();
  REQUIRE(heard.size() == 1);
  REQUIRE(heard[0].opcode == kPing);
  return heard[0].payload;
}

std::vector<std::byte> client_text(const std::string& payload) {
  return FrameBytes{}.fin().text().masked().payload(payload).build();
}

std::vector<std::byte> flood_of(int messages) {
  std::vector<std::byte> flood;
  for (int i = 0; i < messages; ++i) {
    const auto more = client_text(std::to_string(i));
    flood.insert(flood.end(), more.begin(), more.end());
  }
  return flood;
}

unsigned code_of(const SeenMessage& close) {
  return static_cast<unsigned>(static_cast<unsigned char>(close.payload.at(0)) << 8 |
                               static_cast<unsigned char>(close.payload.at(1)));
}

}  // namespace

TEST_CASE("A silent client is pinged after timeouts.ping_interval and cut after timeouts.ping_timeout") {
  Relayed relayed(settings());
  ping_at(relayed, 30s);
  relayed.rig.pass(10s - kTick);
  relayed.check_quiet();
  relayed.rig.pass(kTick);
  CHECK(relayed.rig.client.is_over());
  CHECK(relayed.app->is_over());
  CHECK(relayed.app_hears().empty());
}

TEST_CASE("A client that answers each ping in time stays, and the app hears nothing of it") {
  Relayed relayed(settings());
  std::string payload = ping_at(relayed, 30s);
  for (int i = 0; i < 5; ++i) {
    relayed.rig.pass(10s - kTick);
    relayed.client_says(pong(payload));
    relayed.check_quiet();
    payload = ping_at(relayed, 30s);
  }
}

TEST_CASE("Whatever a client says puts its ping off, a piece of a frame too") {
  Relayed relayed(settings());
  relayed.rig.pass(30s - kTick);
  relayed.client_says({std::byte{0x81}});
  relayed.rig.pass(30s - kTick);
  relayed.check_quiet();
  relayed.client_says({std::byte{0x80}});
  ping_at(relayed, 30s);
}

TEST_CASE("With every timeout off a silent connection stays") {
  auto config = settings();
  config.timeouts.ping_interval = 0s;
  Relayed relayed(config);
  for (int hour = 0; hour < 100; ++hour) relayed.rig.pass(1h);
  relayed.check_quiet();
}

TEST_CASE("timeouts.idle closes with 1001 when no data has gone either way; pings are none") {
  auto config = settings();
  config.timeouts.idle = 45s;
  Relayed relayed(config);
  const bool is_client = GENERATE(true, false);
  relayed.rig.pass(20s);
  if (is_client) {
    relayed.client_says(client_text("x"));
    CHECK(relayed.app_hears().size() == 1);
  } else {
    relayed.app_says(FrameBytes{}.fin().text().payload("x").build());
    CHECK(relayed.client_hears().size() == 1);
  }
  relayed.client_says(pong(ping_at(relayed, is_client ? 30s : 10s)));
  relayed.rig.pass((is_client ? 15s : 35s) - kTick);
  for (const SeenMessage& heard : relayed.client_hears()) CHECK(heard.opcode == kPing);
  CHECK_FALSE(relayed.rig.client.is_over());
  relayed.rig.pass(kTick);
  const auto heard = relayed.client_hears();
  REQUIRE(heard.size() == 1);
  REQUIRE(heard[0].opcode == kClose);
  CHECK(code_of(heard[0]) == 1001);
}

TEST_CASE("timeouts.close cuts both sides when the app does not answer a close frame") {
  Relayed relayed(settings());
  relayed.rig.pass(29s);
  relayed.client_says(FrameBytes{}.fin().close().masked().payload("\x03\xe8").build());
  CHECK(relayed.app_hears().size() == 1);
  relayed.rig.pass(5s - kTick);
  relayed.check_quiet();
  relayed.rig.pass(kTick);
  CHECK(relayed.client_hears().size() == 1);
  CHECK(relayed.rig.client.is_over());
  CHECK(relayed.app->is_over());
  CHECK(relayed.rig.is_gone());
}

TEST_CASE("timeouts.close cuts both sides when the client does not answer a close frame") {
  Relayed relayed(settings());
  relayed.app_says(FrameBytes{}.fin().close().payload("\x03\xe8").build());
  CHECK(relayed.client_hears().size() == 1);
  relayed.rig.pass(5s - kTick);
  relayed.check_quiet();
  relayed.rig.pass(kTick);
  CHECK(relayed.app_hears().size() == 1);
  CHECK(relayed.rig.is_gone());
}

TEST_CASE("A drain closes with 1001 at its time, which may come before any other deadline") {
  Relayed relayed(settings());
  relayed.rig.pass(1s);
  relayed.rig.session().drain(net::Clock::now() + 3s);
  relayed.rig.pass(3s - kTick);
  relayed.check_quiet();
  relayed.rig.pass(kTick);
  const auto heard = relayed.client_hears();
  REQUIRE(heard.size() == 1);
  CHECK(code_of(heard[0]) == 1001);
  relayed.rig.pass(5s - kTick);
  CHECK_FALSE(relayed.rig.is_gone());
  relayed.rig.pass(kTick);
  CHECK(relayed.rig.is_gone());
}

TEST_CASE("A client over its rate is read again when what it owes is paid, to the tick") {
  auto config = settings();
  config.limits.messages_per_second = 10;
  Relayed relayed(config);
  relayed.client_says(flood_of(20));
  CHECK(relayed.app_hears().size() == 11);
  for (int i = 11; i < 20; ++i) {
    relayed.rig.pass(100ms - kTick);
    CHECK(relayed.app_hears().empty());
    relayed.rig.pass(kTick);
    CHECK(relayed.app_hears() == std::vector<SeenMessage>{{1, false, std::to_string(i)}});
  }
}

TEST_CASE("A client that is held back is neither dead nor idle, and is watched again once it is read") {
  auto config = settings();
  config.limits.messages_per_second = 1;
  config.timeouts.ping_interval = 300ms;
  config.timeouts.ping_timeout = 200ms;
  config.timeouts.idle = 700ms;
  Relayed relayed(config);
  relayed.client_says(flood_of(6));
  std::size_t arrived = relayed.app_hears().size();
  CHECK(arrived == 2);
  for (int i = 0; i < 45; ++i) {
    relayed.rig.pass(100ms);
    arrived += relayed.app_hears().size();
    CHECK(relayed.client_hears().empty());
    REQUIRE_FALSE(relayed.rig.client.is_over());
  }
  CHECK(arrived == 6);
  // It owes the last one until the fifth second; then its silence counts from anew.
  relayed.rig.pass(500ms);
  ping_at(relayed, 300ms);
  relayed.rig.pass(200ms);
  CHECK(relayed.rig.client.is_over());
}

TEST_CASE("A drain and the end of closing come to a client that is held back, whatever it owes") {
  auto config = settings();
  config.limits.messages_per_second = 1;
  Relayed relayed(config);
  relayed.client_says(flood_of(10));
  CHECK(relayed.app_hears().size() == 2);
  relayed.rig.session().drain(net::Clock::now() + 500ms);
  relayed.rig.pass(500ms);
  const auto heard = relayed.client_hears();
  REQUIRE(heard.size() == 1);
  CHECK(code_of(heard[0]) == 1001);
  // What it had sent is let through, its answer behind it.
  relayed.client_says(FrameBytes{}.fin().close().masked().payload("\x03\xe9").build());
  const auto at_app = relayed.app_hears();
  REQUIRE(at_app.size() == 9);
  CHECK(at_app[8].opcode == kClose);
  relayed.rig.pass(5s - kTick);
  CHECK_FALSE(relayed.rig.is_gone());
  relayed.rig.pass(kTick);
  CHECK(relayed.rig.is_gone());
}
