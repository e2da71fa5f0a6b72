// Whoever says much at once is taken in parts, and the others of the worker come between these.

#include <catch2/catch.hpp>

#include "proxy/turn_share.hpp"
#include "support/frame_bytes.hpp"
#include "support/session_rig.hpp"

using namespace wsproxy;
using test::FrameBytes;
using test::Peer;
using test::SessionRig;

namespace {

constexpr int kFlood = 4 * proxy::TurnShare::kFirst;

/// Both ends of a relayed connection.
struct Ends {
  Peer& client;
  std::unique_ptr<Peer> app;
};

Ends relayed(SessionRig& rig, Peer& client) {
  client.say(
      "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  rig.settle();
  auto app = rig.app_is_called();
  REQUIRE(app != nullptr);
  app->hear();
  app->say(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  rig.settle();
  REQUIRE(client.hear().starts_with("HTTP/1.1 101 "));
  return {client, std::move(app)};
}

std::string repeated(int count, const std::vector<std::byte>& frame) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += base::as_text(frame);
  return bytes;
}

/// The bytes of the flood that had come at its other end when what was said after it had come at its own.
std::size_t heard_before(SessionRig& rig, Peer& flooded, Peer& other) {
  std::size_t before = 0;
  while (other.hear().empty()) {
    REQUIRE(rig.step());
    before += flooded.hear().size();
  }
  return before;
}

/// And that in the end all of it comes.
void check_in_parts(SessionRig& rig, Peer& flooded, Peer& other, std::size_t size) {
  std::size_t heard = heard_before(rig, flooded, other);
  CHECK(heard <= size / 2);
  for (std::size_t fresh = 1; fresh > 0; heard += fresh) {
    rig.settle();
    fresh = flooded.hear().size();
  }
  CHECK(heard == size);
}

}  // namespace

TEST_CASE("A client's flood of tiny messages is taken in parts, and other clients come between them") {
  SessionRig rig;
  rig.start_app();
  const Ends flooding = relayed(rig, rig.client);
  Peer other_client;
  const proxy::SessionPtr session = rig.meet(other_client);
  const Ends other = relayed(rig, other_client);
  const auto frame = FrameBytes{}.fin().text().masked().payload("x").build();
  flooding.client.say(repeated(kFlood, frame));
  other.client.say(frame);
  check_in_parts(rig, *flooding.app, *other.app, kFlood * frame.size());
  session->cut("the test is over");
}

TEST_CASE("A client's message in tiny fragments without an end is taken in parts") {
  SessionRig rig;
  rig.start_app();
  const Ends flooding = relayed(rig, rig.client);
  Peer other_client;
  const proxy::SessionPtr session = rig.meet(other_client);
  const Ends other = relayed(rig, other_client);
  const auto first = FrameBytes{}.text().masked().payload("x").build();
  const auto next = FrameBytes{}.continuation().masked().payload("x").build();
  flooding.client.say(repeated(1, first) + repeated(kFlood - 1, next));
  other.client.say(FrameBytes{}.fin().text().masked().payload("x").build());
  check_in_parts(rig, *flooding.app, *other.app, kFlood * next.size());
  session->cut("the test is over");
}

TEST_CASE("An app's flood of tiny messages is taken in parts, and other clients come between them") {
  SessionRig rig;
  rig.start_app();
  const Ends flooded = relayed(rig, rig.client);
  Peer other_client;
  const proxy::SessionPtr session = rig.meet(other_client);
  const Ends other = relayed(rig, other_client);
  const auto frame = FrameBytes{}.fin().text().payload("x").build();
  flooded.app->say(repeated(kFlood, frame));
  other.client.say(FrameBytes{}.fin().text().masked().payload("x").build());
  check_in_parts(rig, flooded.client, *other.app, kFlood * frame.size());
  session->cut("the test is over");
}
