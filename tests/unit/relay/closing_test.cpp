#include <catch2/catch.hpp>

#include "support/frame_bytes.hpp"
#include "support/relay_rig.hpp"

using namespace wsproxy;
using relay::EndedBy;
using relay::Leg;
using test::FrameBytes;
using test::RelayRig;
using test::SeenMessage;

namespace {

std::string payload(std::uint16_t code, const std::string& reason = {}) {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)} + reason;
}

std::vector<std::byte> client_close(std::uint16_t code, const std::string& reason = {}) {
  return FrameBytes{}.fin().close().masked().payload(payload(code, reason)).build();
}

std::vector<std::byte> app_close(std::uint16_t code, const std::string& reason = {}) {
  return FrameBytes{}.fin().close().payload(payload(code, reason)).build();
}

RelayRig::Options deflating() {
  RelayRig::Options options;
  options.params.emplace();
  return options;
}

}  // namespace

TEST_CASE("7.1: a client's close goes through with code and reason, and the app's answer back") {
  RelayRig rig;
  rig.client_says(client_close(3456, "bye"));
  REQUIRE(rig.app.messages() == std::vector<SeenMessage>{{8, false, payload(3456, "bye")}});
  CHECK(rig.client.messages().empty());
  CHECK_FALSE(rig.relay().may_shut_down(Leg::client));
  rig.app_says(app_close(3456, "seen"));
  CHECK(rig.client.messages() == std::vector<SeenMessage>{{8, false, payload(3456, "seen")}});
  CHECK(rig.relay().may_shut_down(Leg::client));
  CHECK(rig.relay().ending().by == EndedBy::client);
  CHECK(rig.relay().ending().code == 3456);
  CHECK(rig.relay().close_code(Leg::client) == 3456);
  CHECK(rig.relay().close_code(Leg::app) == 3456);
}

TEST_CASE("7.1: an app's close goes through, and the client's answer back") {
  RelayRig rig;
  rig.app_says(app_close(1000, "done"));
  CHECK(rig.client.messages() == std::vector<SeenMessage>{{8, false, payload(1000, "done")}});
  CHECK_FALSE(rig.relay().may_shut_down(Leg::client));
  rig.client_says(client_close(1000));
  CHECK(rig.app.messages() == std::vector<SeenMessage>{{8, false, payload(1000)}});
  CHECK(rig.relay().may_shut_down(Leg::client));
  CHECK(rig.relay().ending().by == EndedBy::app);
}

TEST_CASE("7.1.5: a close frame without a code stays without one") {
  RelayRig rig;
  rig.client_says(FrameBytes{}.fin().close().masked().build());
  CHECK(rig.app.messages() == std::vector<SeenMessage>{{8, false, ""}});
  CHECK(rig.relay().close_code(Leg::client) == 1005);
}

TEST_CASE("5.5.1: after a close frame nothing more of that side is passed on") {
  RelayRig rig;
  auto bytes = client_close(1000);
  const auto more = FrameBytes{}.fin().text().masked().payload("late").build();
  bytes.insert(bytes.end(), more.begin(), more.end());
  rig.client_says(bytes);
  rig.client_says(more);
  CHECK(rig.app.messages().size() == 1);
}

TEST_CASE("Messages of the app that cross the client's close still arrive") {
  RelayRig rig;
  rig.client_says(client_close(1000));
  rig.app_says(FrameBytes{}.fin().text().payload("last words").build());
  rig.app_says(app_close(1000));
  REQUIRE(rig.client.messages().size() == 2);
  CHECK(rig.client.messages()[0].payload == "last words");
}

TEST_CASE("Close frames that cross give each side the other's, once") {
  RelayRig rig;
  rig.client_says(client_close(1000));
  rig.app_says(app_close(1001));
  CHECK(rig.client.messages().size() == 1);
  CHECK(rig.app.messages().size() == 1);
  CHECK(rig.relay().may_shut_down(Leg::client));
}

TEST_CASE("An app that vanishes gives the client lost_code") {
  RelayRig rig;
  rig.ends(Leg::app);
  REQUIRE(rig.client.messages().size() == 1);
  CHECK(rig.client.messages()[0].payload.substr(0, 2) == payload(1011));
  CHECK(rig.relay().ending().by == EndedBy::app);
  CHECK(rig.relay().close_code(Leg::app) == 1006);
  rig.client_says(client_close(1011));
  CHECK(rig.relay().may_shut_down(Leg::client));
}

TEST_CASE("An app that vanishes between fragments or inside a frame gives the client lost_code") {
  RelayRig between;
  between.app_says(FrameBytes{}.text().payload("a").build());
  between.ends(Leg::app);
  CHECK(between.client.messages().size() == 1);

  RelayRig inside;
  inside.app_says(FrameBytes{}.fin().text().length16(500).payload("a").build());
  inside.ends(Leg::app);
  REQUIRE(inside.client.messages().size() == 1);
  CHECK(inside.client.messages()[0].payload.substr(0, 2) == payload(1011));
  CHECK_FALSE(inside.relay().must_cut(Leg::client));
}

TEST_CASE("An app that hangs up instead of answering a close gives the client its own code back") {
  RelayRig rig;
  rig.client_says(client_close(4001));
  rig.ends(Leg::app);
  CHECK(rig.client.messages() == std::vector<SeenMessage>{{8, false, payload(4001)}});
  CHECK(rig.relay().may_shut_down(Leg::client));
}

TEST_CASE("A client that vanishes is an end of file to the app, without a close frame") {
  RelayRig rig;
  rig.client_says(FrameBytes{}.fin().text().masked().payload("x").build());
  rig.ends(Leg::client);
  CHECK(rig.app.messages().size() == 1);
  CHECK(rig.relay().may_shut_down(Leg::app));
  CHECK(rig.relay().ending().by == EndedBy::client);
  CHECK(rig.relay().ending().code == 1006);
}

TEST_CASE("A close of our own waits for the end of the message and lets the client's messages through") {
  const bool has_compression = GENERATE(false, true);
  RelayRig::Options options;
  if (has_compression) options.params = deflate::Params{};
  RelayRig rig(options);
  rig.app_says(FrameBytes{}.text().payload("first half, ").build());
  rig.closes(1001);
  for (const SeenMessage& message : rig.client.messages()) CHECK(message.opcode != 8);
  auto bytes = FrameBytes{}.fin().continuation().payload("second half").build();
  const auto next = FrameBytes{}.fin().text().payload("too late").build();
  bytes.insert(bytes.end(), next.begin(), next.end());
  rig.app_says(bytes);
  REQUIRE(rig.client.messages().size() == 2);
  CHECK(rig.client.messages()[0].payload == "first half, second half");
  CHECK(rig.client.messages()[1].payload.substr(0, 2) == payload(1001));
  rig.client_says(FrameBytes{}.fin().text().masked().payload("in flight").build());
  rig.client_says(client_close(1001));
  REQUIRE(rig.app.messages().size() == 2);
  CHECK(rig.app.messages()[0].payload == "in flight");
  CHECK(rig.app.messages()[1].payload == payload(1001));
  CHECK(rig.relay().ending().by == EndedBy::operator_);
}

TEST_CASE("Giving up answers what is unanswered") {
  RelayRig waits_for_app;
  waits_for_app.client_says(client_close(1000));
  waits_for_app.gives_up();
  CHECK(waits_for_app.client.messages() == std::vector<SeenMessage>{{8, false, payload(1000)}});

  RelayRig waits_for_client;
  waits_for_client.app_says(app_close(1003));
  waits_for_client.gives_up();
  CHECK(waits_for_client.app.messages() == std::vector<SeenMessage>{{8, false, payload(1003)}});
}

TEST_CASE("A ping of our own goes between frames, even inside one of the app's, and its pong no further") {
  const std::array<std::byte, 8> id{std::byte{1}, std::byte{2}};
  RelayRig rig;
  REQUIRE(rig.pings(id));
  REQUIRE(rig.client.messages().size() == 1);
  CHECK(rig.client.messages()[0].opcode == 9);
  rig.client_says(FrameBytes{}.fin().pong().masked().payload(std::string{base::as_text(id)}).build());
  CHECK(rig.app.messages().empty());
  rig.client_says(FrameBytes{}.fin().pong().masked().payload("the app's").build());
  CHECK(rig.app.messages().size() == 1);

  rig.app_says(FrameBytes{}.fin().text().length16(500).payload("a").build());
  CHECK(rig.pings(id));
  CHECK(rig.client.messages().back().opcode == 9);
}

TEST_CASE("A pong of eight zero bytes that nobody of ours asked for is the app's") {
  const std::array<std::byte, 8> zeros{};
  const auto pong = FrameBytes{}.fin().pong().masked().payload(std::string{base::as_text(zeros)}).build();
  RelayRig rig;
  rig.client_says(pong);
  CHECK(rig.app.messages().size() == 1);

  REQUIRE(rig.pings(zeros));
  rig.client_says(pong);
  CHECK(rig.app.messages().size() == 1);
  rig.client_says(pong);  // it has been answered: this one is for the app again
  CHECK(rig.app.messages().size() == 2);
}

TEST_CASE("Pings and pongs are no data; a piece of a message is, even one that is held back") {
  test::Deflater deflater(15);
  RelayRig rig(deflating());
  rig.client_says(FrameBytes{}.fin().ping().masked().build());
  rig.app_says(FrameBytes{}.fin().pong().build());
  CHECK_FALSE(rig.relay().take_saw_data(Leg::client));
  CHECK_FALSE(rig.relay().take_saw_data(Leg::app));

  rig.client_says(FrameBytes{}.rsv1().text().masked().payload(deflater.message("begun")).build());
  CHECK(rig.app.messages().size() == 1);  // the ping
  CHECK(rig.relay().take_saw_data(Leg::client));
  CHECK_FALSE(rig.relay().take_saw_data(Leg::client));
  rig.app_says(FrameBytes{}.text().payload("begun").build());
  CHECK(rig.relay().take_saw_data(Leg::app));
}

TEST_CASE("What nobody gets any more is neither compressed nor inflated nor counted") {
  const std::string large(100000, 'a');
  RelayRig drained(deflating());
  drained.closes(1001);
  drained.app_says(FrameBytes{}.text().payload(large).build());
  drained.app_says(FrameBytes{}.fin().continuation().payload(large).build());
  drained.app_says(FrameBytes{}.fin().ping().build());
  CHECK(drained.client.messages().size() == 1);
  CHECK(drained.meter.messages.empty());
  CHECK(drained.meter.text_bytes == 0);

  test::Deflater deflater(15);
  RelayRig broken(deflating());
  broken.client_says(FrameBytes{}.rsv1().text().masked().payload(deflater.message("begun")).build());
  broken.app_says(FrameBytes{}.fin().continuation().build());
  const std::size_t said = broken.app.messages().size();
  broken.client_says(FrameBytes{}.fin().continuation().masked().build());
  broken.client_says(FrameBytes{}.fin().text().masked().payload("too late").build());
  broken.client_says(FrameBytes{}.fin().ping().masked().build());
  CHECK(broken.app.messages().size() == said);
  CHECK(broken.meter.messages.empty());
}

TEST_CASE("What the app says after the client's close frame has gone is neither passed on nor counted") {
  RelayRig rig;
  rig.closes(1001);
  rig.app_says(FrameBytes{}.fin().text().payload("too late").build());
  CHECK(rig.client.messages().size() == 1);
  CHECK(rig.meter.messages.empty());
}
