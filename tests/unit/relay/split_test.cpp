#include <catch2/catch.hpp>

#include "support/frame_bytes.hpp"
#include "support/relay_rig.hpp"

using namespace wsproxy;
using test::FrameBytes;
using test::RelayRig;
using test::SeenMessage;

namespace {

struct Conversation {
  const char* name;
  bool is_client;
  RelayRig::Options options;
  std::vector<std::byte> bytes;
};

std::vector<std::byte> join(std::initializer_list<std::vector<std::byte>> parts) {
  std::vector<std::byte> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

const std::string kNews = R"({"topic":"news","text":"the same news for everyone, again and again"})";
const std::string kClose = std::string("\x03\xe8", 2) + "bye";

RelayRig::Options with_deflate() {
  RelayRig::Options options;
  options.params = deflate::Params{.server_window_bits = 10, .client_window_bits = 10};
  options.max_message_bytes = 400;
  return options;
}

std::vector<Conversation> conversations() {
  test::Deflater deflater(10);
  const std::string first = deflater.message(kNews);
  const std::string second = deflater.message(kNews + kNews);
  const std::string large = deflater.message(std::string(500, 'x'));
  const auto packed_text = [](const std::string& packed) {
    return FrameBytes{}.fin().rsv1().text().masked().payload(packed).build();
  };
  return {
      {"plain from the client",
       true,
       {},
       join({FrameBytes{}.text().masked().payload("gr\xc3\xbc\xc3\x9f").build(),
             FrameBytes{}.fin().ping().masked().build(),
             FrameBytes{}.fin().continuation().masked().payload(std::string(200, 'a')).build(),
             FrameBytes{}.fin().close().masked().payload(kClose).build()})},
      {"compressed from the client", true, with_deflate(),
       join({packed_text(first), FrameBytes{}.rsv1().text().masked().payload(second.substr(0, 5)).build(),
             FrameBytes{}.fin().pong().masked().payload("pong").build(),
             FrameBytes{}.fin().continuation().masked().payload(second.substr(5)).build(),
             FrameBytes{}.fin().binary().masked().payload("raw").build()})},
      {"over the limit after inflating", true, with_deflate(),
       join({packed_text(first), packed_text(second), packed_text(large)})},
      {"a fault after good messages", true, with_deflate(),
       join({packed_text(first), FrameBytes{}.fin().text().payload("not masked").build()})},
      {"bad text in the middle",
       true,
       {},
       join({FrameBytes{}.fin().text().masked().payload("fine").build(),
             FrameBytes{}.fin().text().masked().payload("b\xf8").build()})},
      {"plain from the app",
       false,
       {},
       join({FrameBytes{}.text().payload(kNews).build(), FrameBytes{}.fin().ping().payload("p").build(),
             FrameBytes{}.fin().continuation().payload(std::string(130, 'b')).build(),
             FrameBytes{}.fin().close().payload(kClose).build()})},
      {"to be compressed from the app", false, with_deflate(),
       join({FrameBytes{}.fin().text().payload(kNews).build(),
             FrameBytes{}.fin().text().payload("tiny").build(), FrameBytes{}.text().payload(kNews).build(),
             FrameBytes{}.fin().pong().build(), FrameBytes{}.fin().continuation().payload(kNews).build()})},
      {"a fault of the app", false, with_deflate(),
       join({FrameBytes{}.fin().text().payload(kNews).build(),
             FrameBytes{}.fin().opcode(5).payload("x").build()})},
  };
}

void say(RelayRig& rig, bool is_client, base::Bytes bytes) {
  if (is_client) {
    rig.client_says(bytes);
  } else {
    rig.app_says(bytes);
  }
}

/// A fault inside a frame of which a part is already on the app leg leaves no room for a close frame there.
std::vector<SeenMessage> data_of(const std::vector<SeenMessage>& messages) {
  std::vector<SeenMessage> data;
  for (const SeenMessage& message : messages) {
    if (message.opcode != 8) data.push_back(message);
  }
  return data;
}

}  // namespace

TEST_CASE("Every split point of every conversation gives both sides the same") {
  for (const Conversation& conversation : conversations()) {
    RelayRig whole(conversation.options);
    say(whole, conversation.is_client, conversation.bytes);
    const base::Bytes bytes{conversation.bytes};
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      CAPTURE(conversation.name, cut);
      RelayRig rig(conversation.options);
      say(rig, conversation.is_client, bytes.first(cut));
      say(rig, conversation.is_client, bytes.subspan(cut));
      REQUIRE(rig.client.messages() == whole.client.messages());
      REQUIRE(data_of(rig.app.messages()) == data_of(whole.app.messages()));
      REQUIRE(rig.relay().ending().code == whole.relay().ending().code);
      REQUIRE(rig.relay().fault(relay::Leg::client) == whole.relay().fault(relay::Leg::client));
      REQUIRE(rig.relay().fault(relay::Leg::app) == whole.relay().fault(relay::Leg::app));
    }
  }
}
