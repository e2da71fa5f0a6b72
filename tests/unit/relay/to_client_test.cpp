#include <catch2/catch.hpp>

#include "support/frame_bytes.hpp"
#include "support/relay_rig.hpp"
#include "support/splits.hpp"

using namespace wsproxy;
using test::FrameBytes;
using test::RelayRig;
using test::SeenMessage;

namespace {

RelayRig::Options compressed(deflate::Params params = {}) {
  RelayRig::Options options;
  options.params = params;
  return options;
}

std::string chat(int i) {
  return R"({"type":"message","room":"lobby","user":"user-)" + std::to_string(i % 7) +
         R"(","text":"hello to everybody in here","id":)" + std::to_string(100000 + i) + "}";
}

std::string noise(std::size_t size) {
  std::string bytes;
  std::uint64_t state = 99;
  while (bytes.size() < size) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    bytes += static_cast<char>(state >> 56);
  }
  return bytes;
}

std::vector<std::byte> join(std::initializer_list<std::vector<std::byte>> parts) {
  std::vector<std::byte> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

TEST_CASE(
    "Without the extension a frame of the app that came whole passes as it is, at any split as the same "
    "message") {
  const auto bytes = join({FrameBytes{}.text().payload("a").build(), FrameBytes{}.fin().ping().build(),
                           FrameBytes{}.fin().continuation().payload(chat(1)).build(),
                           FrameBytes{}.fin().binary().payload(noise(7000)).build()});
  RelayRig at_once;
  at_once.app_says(bytes);
  REQUIRE(at_once.client.frames().size() == 4);
  CHECK_FALSE(at_once.client.frames()[0].masked);
  test::for_each_split(bytes, [](const test::Split& split) {
    RelayRig rig;
    for (const auto& piece : split.pieces) rig.app_says(piece);
    REQUIRE(rig.client.messages().size() == 3);
    CHECK(rig.client.messages()[0].opcode == 9);
    CHECK(rig.client.messages()[1] == SeenMessage{1, false, "a" + chat(1)});
    CHECK(rig.client.messages()[2] == SeenMessage{2, false, noise(7000)});
  });
}

TEST_CASE("7692 7.2.1: messages are compressed with takeover, whatever the agreed window, at any split") {
  const auto bits = static_cast<std::uint8_t>(GENERATE(8, 9, 10, 12, 15));
  const bool takeover = GENERATE(true, false);
  CAPTURE(bits, takeover);
  std::vector<std::byte> bytes;
  for (int i = 0; i < 40; ++i) {
    const auto frame = FrameBytes{}.fin().text().payload(chat(i)).build();
    bytes.insert(bytes.end(), frame.begin(), frame.end());
  }
  test::for_each_split(bytes, [&](const test::Split& split) {
    RelayRig rig(compressed({.server_window_bits = bits, .server_no_context_takeover = !takeover}));
    for (const auto& piece : split.pieces) rig.app_says(piece);
    REQUIRE(rig.client.messages().size() == 40);
    for (int i = 0; i < 40; ++i) {
      CHECK(rig.client.messages()[static_cast<std::size_t>(i)].payload == chat(i));
    }
    CHECK(rig.client.frames().back().rsv1);
  });
}

TEST_CASE("Takeover pays: the same kind of message shrinks to less than half of what it is alone") {
  RelayRig rig(compressed());
  for (int i = 0; i < 10; ++i) rig.app_says(FrameBytes{}.fin().text().payload(chat(i)).build());
  CHECK(rig.client.frames().back().payload.size() * 2 < rig.client.frames().front().payload.size());
}

TEST_CASE("A fragmented message of the app is compressed whole") {
  RelayRig rig(compressed());
  rig.app_says(FrameBytes{}.text().payload(chat(1)).build());
  CHECK(rig.client.frames().empty());
  rig.app_says(FrameBytes{}.fin().pong().payload("in between").build());
  CHECK(rig.client.messages().size() == 1);
  rig.app_says(FrameBytes{}.fin().continuation().payload(chat(2)).build());
  REQUIRE(rig.client.frames().size() == 2);
  CHECK(rig.client.frames()[1].fin);
  CHECK(rig.client.messages()[1] == SeenMessage{1, true, chat(1) + chat(2)});
}

TEST_CASE("Small, incompressible and unshrinking messages go raw and leave the history alone") {
  RelayRig rig(compressed());
  const auto say = [&rig](const std::string& text) {
    rig.app_says(FrameBytes{}.fin().binary().payload(text).build());
  };
  say(chat(1));
  say("tiny");
  say(noise(4096));
  say(noise(60));
  say(chat(2));
  REQUIRE(rig.client.messages().size() == 5);
  CHECK(rig.client.messages()[0] == SeenMessage{2, true, chat(1)});
  CHECK(rig.client.messages()[1] == SeenMessage{2, false, "tiny"});
  CHECK(rig.client.messages()[2] == SeenMessage{2, false, noise(4096)});
  CHECK(rig.client.messages()[3] == SeenMessage{2, false, noise(60)});
  CHECK(rig.client.messages()[4] == SeenMessage{2, true, chat(2)});
  CHECK(rig.meter.bypasses == std::array<std::uint64_t, deflate::kBypassCount>{0, 1, 1, 0, 1});
  CHECK(rig.meter.text_bytes == chat(1).size() + chat(2).size());
  CHECK(rig.meter.packed_bytes ==
        rig.client.frames()[0].payload.size() + rig.client.frames()[4].payload.size());
}

TEST_CASE("With min_size 0 an empty message is one zero octet (7692 7.2.3.6), or raw") {
  auto options = compressed();
  options.min_size = 0;
  RelayRig rig(options);
  rig.app_says(FrameBytes{}.fin().text().build());
  REQUIRE(rig.client.messages().size() == 1);
  CHECK(rig.client.messages()[0].payload.empty());
}

TEST_CASE("A message over 64 KiB streams compressed in fragments and keeps the context") {
  std::string text;
  for (const char c : noise(300000)) text += static_cast<char>('a' + (static_cast<unsigned char>(c) & 15));
  const auto large = FrameBytes{}.fin().text().payload(text).build();
  const auto bytes = join({FrameBytes{}.fin().text().payload(chat(1)).build(), large,
                           FrameBytes{}.fin().text().payload(chat(2)).build()});
  for (const unsigned seed : {1U, 2U, 3U}) {
    RelayRig rig(compressed());
    for (const auto& piece : test::random_cuts(bytes, seed).pieces) rig.app_says(piece);
    REQUIRE(rig.client.messages().size() == 3);
    CHECK(rig.client.messages()[1] == SeenMessage{1, true, text});
    CHECK(rig.client.messages()[2] == SeenMessage{1, true, chat(2)});
    CHECK(rig.client.frames().size() > 3);
  }
}

TEST_CASE("What an encoder has held back leaves within the room") {
  // Judged by its beginning, the message is compressed; then comes what zlib cannot match, so that the
  // encoder gathers literals for long before a block goes out.
  auto options = compressed();
  options.room = 1000;
  for (std::size_t before = 100000; before < 150000; before += 700) {
    const std::string text = std::string(70000, 'a') + noise(before + relay::kWholeMessage);
    const auto bytes = FrameBytes{}.fin().binary().payload(text).build();
    RelayRig rig(options);
    rig.app_says(base::Bytes{bytes}.first(bytes.size() - relay::kWholeMessage));
    rig.app_says(base::Bytes{bytes}.last(relay::kWholeMessage));
    CHECK(rig.client.messages().at(0).compressed);
    CHECK(rig.most_queued() <= options.room + relay::kRoomOvershoot);
  }
}

TEST_CASE("min_size is of the message, not of what has come of it") {
  auto options = compressed();
  options.min_size = relay::kWholeMessage;
  for (const std::size_t size : {relay::kWholeMessage - 1, relay::kWholeMessage, relay::kWholeMessage + 1}) {
    const std::string text(size, 'a');
    const auto bytes = FrameBytes{}.fin().text().payload(text).build();
    for (const unsigned seed : {1U, 2U, 3U}) {
      CAPTURE(size, seed);
      RelayRig rig(options);
      for (const auto& piece : test::random_cuts(bytes, seed).pieces) rig.app_says(piece);
      CHECK(rig.client.messages() == std::vector<SeenMessage>{{1, size >= options.min_size, text}});
    }
  }
}

TEST_CASE("A large incompressible message passes raw, in fragments as it comes") {
  const std::string text = noise(300000);
  const auto bytes = FrameBytes{}.fin().binary().payload(text).build();
  for (const unsigned seed : {1U, 2U, 3U}) {
    RelayRig rig(compressed());
    for (const auto& piece : test::random_cuts(bytes, seed).pieces) rig.app_says(piece);
    REQUIRE(rig.client.messages().size() == 1);
    CHECK(rig.client.messages()[0] == SeenMessage{2, false, text});
    CHECK(rig.client.is_clean());
  }
}

TEST_CASE("A large incompressible message in fragments passes raw and whole") {
  const std::string text = noise(300000);
  const auto bytes = join({FrameBytes{}.binary().payload(text.substr(0, 60000)).build(),
                           FrameBytes{}.continuation().payload(text.substr(60000, 100000)).build(),
                           FrameBytes{}.fin().ping().build(), FrameBytes{}.continuation().build(),
                           FrameBytes{}.fin().continuation().payload(text.substr(160000)).build(),
                           FrameBytes{}.fin().text().payload(chat(1)).build()});
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    RelayRig rig(compressed());
    for (const auto& piece : test::random_cuts(bytes, seed).pieces) rig.app_says(piece);
    REQUIRE(rig.client.messages().size() == 3);
    CHECK(rig.client.messages()[1] == SeenMessage{2, false, text});
    CHECK(rig.client.messages()[2] == SeenMessage{1, true, chat(1)});
    CHECK(rig.client.is_clean());
  }
}

TEST_CASE("Messages at the edge of 64 KiB, one frame or two, arrive whole") {
  for (const std::size_t size : {relay::kWholeMessage - 1, relay::kWholeMessage, relay::kWholeMessage + 1}) {
    for (const std::size_t cut : {std::size_t{1}, size / 2, size - 1, size}) {
      for (const bool is_noise : {false, true}) {
        CAPTURE(size, cut, is_noise);
        const std::string text = is_noise ? noise(size) : std::string(size, 'a');
        RelayRig rig(compressed());
        rig.app_says(FrameBytes{}.binary().payload(text.substr(0, cut)).build());
        rig.app_says(FrameBytes{}.fin().continuation().payload(text.substr(cut)).build());
        rig.app_says(FrameBytes{}.fin().text().payload(chat(3)).build());
        REQUIRE(rig.client.messages().size() == 2);
        CHECK(rig.client.messages()[0].payload == text);
        CHECK(rig.client.messages()[1].payload == chat(3));
      }
    }
  }
}

TEST_CASE("With no memory left the history is forgotten and messages still arrive") {
  auto options = compressed();
  options.memory = 1024;
  RelayRig rig(options);
  for (int i = 0; i < 20; ++i) rig.app_says(FrameBytes{}.fin().text().payload(chat(i)).build());
  REQUIRE(rig.client.messages().size() == 20);
  CHECK(rig.client.messages()[19].payload == chat(19));
}

TEST_CASE("While the CPU is short what is adaptive is compressed at a lower level, whole or in fragments") {
  for (const int count : {200, 2000}) {
    std::string document;
    for (int i = 0; i < count; ++i) document += chat(i * 7919 % 100'003);
    const auto packed_bytes = [&](std::uint8_t level, bool is_adaptive, int busy_rounds) {
      auto options = compressed();
      options.engine = deflate::EngineChoice::zlib;
      options.level = level;
      options.is_adaptive = is_adaptive;
      RelayRig rig(options);
      for (int i = 0; i < busy_rounds; ++i) rig.governor().observe(1);
      rig.app_says(FrameBytes{}.fin().text().payload(document).build());
      CHECK(rig.client.messages().at(0).payload == document);
      return rig.meter.packed_bytes;
    };
    CAPTURE(count);
    const std::uint64_t small = packed_bytes(9, true, 0);
    const std::uint64_t fast = packed_bytes(1, true, 0);
    REQUIRE(small < fast);
    CHECK(packed_bytes(9, true, 6) == fast);
    CHECK(packed_bytes(9, false, 6) == small);
  }
}

TEST_CASE("A protocol fault of the app is 1002 to it and lost_code to the client") {
  for (const auto& bytes : {FrameBytes{}.fin().text().masked().payload("x").build(),
                            FrameBytes{}.fin().rsv1().text().payload("x").build(),
                            FrameBytes{}.fin().continuation().payload("x").build()}) {
    RelayRig rig(compressed());
    rig.app_says(bytes);
    REQUIRE(rig.client.messages().size() == 1);
    CHECK(rig.client.messages()[0].payload.substr(0, 2) == "\x03\xf3");
    REQUIRE(rig.app.messages().size() == 1);
    CHECK(rig.app.messages()[0].payload.substr(0, 2) == "\x03\xea");
    CHECK(rig.relay().ending().by == relay::EndedBy::proxy);
  }
}
