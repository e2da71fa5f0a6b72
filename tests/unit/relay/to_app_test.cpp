#include <catch2/catch.hpp>

#include "support/frame_bytes.hpp"
#include "support/relay_rig.hpp"
#include "support/splits.hpp"

using namespace wsproxy;
using test::FrameBytes;
using test::RelayRig;
using test::SeenMessage;
using websocket::Opcode;
using Metered = test::CountingMeter::Message;

namespace {

std::vector<std::byte> join(std::initializer_list<std::vector<std::byte>> parts) {
  std::vector<std::byte> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

RelayRig::Options compressed(std::uint8_t client_bits = 15) {
  RelayRig::Options options;
  options.params = deflate::Params{.client_window_bits = client_bits};
  return options;
}

std::string letters(std::size_t size) {
  std::string text;
  std::uint32_t state = 7;
  while (text.size() < size) {
    state = state * 1103515245U + 12345U;
    text += static_cast<char>('a' + (state >> 16) % 20);
  }
  return text;
}

std::uint16_t close_code(const SeenMessage& message) {
  REQUIRE(message.opcode == 8);
  REQUIRE(message.payload.size() >= 2);
  return static_cast<std::uint16_t>(static_cast<unsigned char>(message.payload[0]) << 8 |
                                    static_cast<unsigned char>(message.payload[1]));
}

}  // namespace

TEST_CASE("5.1: what the app gets is masked, and by other keys than the client's") {
  RelayRig rig;
  const auto frame = FrameBytes{}.fin().text().masked().payload("hello").build();
  rig.client_says(frame);
  rig.client_says(frame);
  REQUIRE(rig.app.frames().size() == 2);
  CHECK(rig.app.frames()[0].masked);
  CHECK(rig.app.messages()[1] == SeenMessage{1, false, "hello"});
}

TEST_CASE("5.4: without the extension fragments and control frames between them pass as they are") {
  const auto bytes = join({FrameBytes{}.text().masked().payload("one ").build(),
                           FrameBytes{}.fin().ping().masked().payload("p").build(),
                           FrameBytes{}.continuation().masked().build(),
                           FrameBytes{}.fin().continuation().masked().payload(letters(70000)).build(),
                           FrameBytes{}.fin().binary().masked().build()});
  test::for_each_split(bytes, [](const test::Split& split) {
    RelayRig rig;
    for (const auto& piece : split.pieces) rig.client_says(piece);
    REQUIRE(rig.app.frames().size() == 5);
    CHECK(rig.app.frames()[0].payload == "one ");
    CHECK_FALSE(rig.app.frames()[0].fin);
    CHECK(rig.app.frames()[1].opcode == 9);
    CHECK(rig.app.frames()[2].payload.empty());
    CHECK(rig.app.messages()[1] == SeenMessage{1, false, "one " + letters(70000)});
    CHECK(rig.app.messages()[2] == SeenMessage{2, false, ""});
    CHECK(rig.meter.messages == std::vector<Metered>{{relay::Leg::app, Opcode::text, false, 70004},
                                                     {relay::Leg::app, Opcode::binary, false, 0}});
  });
}

TEST_CASE("7692 7.2.2: compressed messages with takeover reach the app inflated, one frame each") {
  test::Deflater deflater(12);
  std::vector<std::byte> bytes;
  for (int i = 0; i < 12; ++i) {
    const std::string text = R"({"user":"anna","text":"message number )" + std::to_string(i) + "\"}";
    const auto frame = FrameBytes{}.fin().rsv1().text().masked().payload(deflater.message(text)).build();
    bytes.insert(bytes.end(), frame.begin(), frame.end());
  }
  test::for_each_split(bytes, [](const test::Split& split) {
    RelayRig rig(compressed(12));
    for (const auto& piece : split.pieces) rig.client_says(piece);
    REQUIRE(rig.app.frames().size() == 12);
    for (int i = 0; i < 12; ++i) {
      const std::string text = R"({"user":"anna","text":"message number )" + std::to_string(i) + "\"}";
      CHECK(rig.app.messages()[static_cast<std::size_t>(i)] == SeenMessage{1, false, text});
    }
  });
}

TEST_CASE("7692 6.1: a compressed message in fragments, with pings between them and empty ones") {
  test::Deflater deflater(15);
  const std::string text = letters(5000);
  const std::string packed = deflater.message(text);
  const auto bytes =
      join({FrameBytes{}.rsv1().binary().masked().payload(packed.substr(0, 1)).build(),
            FrameBytes{}.fin().ping().masked().build(), FrameBytes{}.continuation().masked().build(),
            FrameBytes{}.continuation().masked().payload(packed.substr(1, 900)).build(),
            FrameBytes{}.continuation().masked().payload(packed.substr(901)).build(),
            FrameBytes{}.fin().continuation().masked().build(),
            FrameBytes{}.fin().text().masked().payload("plain").build(),
            FrameBytes{}.fin().rsv1().text().masked().payload(deflater.message("after")).build()});
  test::for_each_split(bytes, [&text](const test::Split& split) {
    RelayRig rig(compressed());
    for (const auto& piece : split.pieces) rig.client_says(piece);
    REQUIRE(rig.app.messages().size() == 4);
    CHECK(rig.app.messages()[0].opcode == 9);
    CHECK(rig.app.messages()[1] == SeenMessage{2, false, text});
    CHECK(rig.app.messages()[2] == SeenMessage{1, false, "plain"});
    CHECK(rig.app.messages()[3] == SeenMessage{1, false, "after"});
  });
}

TEST_CASE("A compressed message of up to kWholeMessage reaches the app as one frame, at any cut") {
  for (const std::size_t size : {relay::kWholeMessage - 1, relay::kWholeMessage, relay::kWholeMessage + 1}) {
    test::Deflater deflater(15);
    const std::string text = letters(size);
    const auto frame = FrameBytes{}.fin().rsv1().text().masked().payload(deflater.message(text)).build();
    for (const unsigned seed : {1U, 2U, 3U}) {
      RelayRig rig(compressed());
      for (const auto& piece : test::random_cuts(frame, seed).pieces) rig.client_says(piece);
      REQUIRE(rig.app.messages().size() == 1);
      CHECK(rig.app.messages()[0].payload == text);
      CHECK(rig.app.frames().size() == (size <= relay::kWholeMessage ? 1 : 2));
    }
  }
}

TEST_CASE("A large inflated message streams in fragments of bounded size") {
  test::Deflater deflater(15);
  const std::string text = letters(1000000);
  const auto frame = FrameBytes{}.fin().rsv1().text().masked().payload(deflater.message(text)).build();
  auto options = compressed();
  options.room = 100000;
  RelayRig rig(options);
  for (const auto& piece : test::random_cuts(frame, 5).pieces) rig.client_says(piece);
  REQUIRE(rig.app.messages().size() == 1);
  CHECK(rig.app.messages()[0].payload == text);
  CHECK(rig.app.frames().size() == 1000000 / relay::kWholeMessage + 1);
  CHECK(rig.most_queued() <= options.room + relay::kRoomOvershoot);
}

TEST_CASE("A bomb that inflates a thousandfold waits for room and stops at the limit") {
  test::Deflater deflater(15);
  const std::string zeros(40 << 20, 'x');
  const auto frame = FrameBytes{}.fin().rsv1().binary().masked().payload(deflater.message(zeros)).build();
  auto options = compressed();
  options.room = 1 << 20;
  SECTION("without a limit it passes, a room at a time") {
    RelayRig rig(options);
    rig.client_says(frame);
    REQUIRE(rig.app.messages().size() == 1);
    CHECK(rig.app.messages()[0].payload.size() == zeros.size());
    CHECK(rig.most_queued() <= options.room + relay::kRoomOvershoot);
  }
  SECTION("with a limit it is 1009") {
    options.max_message_bytes = 16 << 20;
    RelayRig rig(options);
    rig.client_says(frame);
    REQUIRE(rig.client.messages().size() == 1);
    CHECK(close_code(rig.client.messages()[0]) == 1009);
    CHECK(rig.most_queued() <= options.room + relay::kRoomOvershoot);
    CHECK(rig.app.messages().back().opcode == 8);
  }
}

TEST_CASE("10.4: the limit on a message is exact: at it passes, one more is 1009") {
  const auto is_compressed = GENERATE(false, true);
  const auto fragments = GENERATE(1, 3);
  const std::size_t limit = 70000;
  for (const std::size_t size : {limit, limit + 1}) {
    CAPTURE(is_compressed, fragments, size);
    test::Deflater deflater(15);
    const std::string text = letters(size);
    const std::string wire = is_compressed ? deflater.message(text) : text;
    auto options = compressed();
    options.max_message_bytes = limit;
    RelayRig rig(options);
    const std::size_t step = wire.size() / static_cast<std::size_t>(fragments);
    for (int i = 0; i < fragments; ++i) {
      const bool last = i == fragments - 1;
      const std::size_t from = static_cast<std::size_t>(i) * step;
      FrameBytes frame;
      if (last) frame.fin();
      if (i > 0) frame.continuation();
      if (i == 0) frame.text();
      if (i == 0 && is_compressed) frame.rsv1();
      rig.client_says(frame.masked().payload(wire.substr(from, last ? std::string::npos : step)).build());
    }
    if (size <= limit) {
      REQUIRE(rig.app.messages().size() == 1);
      CHECK(rig.app.messages()[0].payload == text);
    } else {
      REQUIRE(rig.client.messages().size() == 1);
      CHECK(close_code(rig.client.messages()[0]) == 1009);
    }
  }
}

TEST_CASE("10.4: an announced length over the limit is refused before its payload arrives") {
  auto options = compressed();
  options.max_message_bytes = 1000;
  RelayRig rig(options);
  rig.client_says(FrameBytes{}.fin().binary().masked().length64(std::uint64_t{1} << 62).build());
  REQUIRE(rig.client.messages().size() == 1);
  CHECK(close_code(rig.client.messages()[0]) == 1009);
}

TEST_CASE("8.1: text that is not UTF-8 is 1007, plain or compressed, wherever the fault lies") {
  const std::string bad =
      GENERATE(std::string{"\xff"}, std::string{"ok \xed\xa0\x80"}, std::string{"half \xe2\x82"});
  const bool is_compressed = GENERATE(false, true);
  CAPTURE(bad, is_compressed);
  test::Deflater deflater(15);
  FrameBytes frame;
  frame.fin().text().masked();
  if (is_compressed) frame.rsv1();
  const auto bytes = frame.payload(is_compressed ? deflater.message(bad) : bad).build();
  test::for_each_split(bytes, [](const test::Split& split) {
    RelayRig rig(compressed());
    for (const auto& piece : split.pieces) rig.client_says(piece);
    REQUIRE(rig.client.messages().size() == 1);
    CHECK(close_code(rig.client.messages()[0]) == 1007);
    for (const SeenMessage& message : rig.app.messages()) CHECK(message.opcode == 8);
  });
}

TEST_CASE("8.1: without validate_utf8 plain text passes as it is, in frames, fragments and at any cut") {
  const bool has_compression = GENERATE(false, true);
  auto bytes = FrameBytes{}.fin().text().masked().payload("whole \xff").build();
  for (const auto& frame : {FrameBytes{}.text().masked().payload("half \xe2").build(),
                            FrameBytes{}.fin().continuation().masked().payload("\x82").build()}) {
    bytes.insert(bytes.end(), frame.begin(), frame.end());
  }
  auto options = has_compression ? compressed() : RelayRig::Options{};
  options.validate_utf8 = false;
  test::for_each_split(bytes, [&options](const test::Split& split) {
    RelayRig rig(options);
    for (const auto& piece : split.pieces) rig.client_says(piece);
    CHECK(rig.client.messages().empty());
    REQUIRE(rig.app.messages().size() == 2);
    CHECK(rig.app.messages()[0] == SeenMessage{1, false, "whole \xff"});
    CHECK(rig.app.messages()[1] == SeenMessage{1, false, "half \xe2\x82"});
  });
}

TEST_CASE("8.1: without validate_utf8 text is checked still where the proxy inflates it") {
  auto options = compressed();
  options.validate_utf8 = false;
  test::Deflater deflater(15);
  auto bytes = FrameBytes{}.fin().text().masked().payload("plain \xff").build();
  const auto packed = FrameBytes{}.fin().text().masked().rsv1().payload(deflater.message("bad \xff")).build();
  bytes.insert(bytes.end(), packed.begin(), packed.end());
  test::for_each_split(bytes, [&options](const test::Split& split) {
    RelayRig rig(options);
    for (const auto& piece : split.pieces) rig.client_says(piece);
    REQUIRE(rig.client.messages().size() == 1);
    CHECK(close_code(rig.client.messages()[0]) == 1007);
    REQUIRE(rig.app.messages().size() == 2);
    CHECK(rig.app.messages()[0].payload == "plain \xff");
    CHECK(rig.app.messages()[1].opcode == 8);
  });
}

TEST_CASE("5.5.1: without validate_utf8 a close frame's reason is checked still") {
  RelayRig::Options options;
  options.validate_utf8 = false;
  RelayRig rig(options);
  rig.client_says(FrameBytes{}.fin().close().masked().payload("\x03\xe8\xff").build());
  REQUIRE(rig.client.messages().size() == 1);
  CHECK(close_code(rig.client.messages()[0]) == 1007);
}

TEST_CASE("Binary messages are not checked as text") {
  RelayRig rig;
  rig.client_says(FrameBytes{}.fin().binary().masked().payload("\xff\xfe").build());
  CHECK(rig.app.messages().at(0).payload == "\xff\xfe");
}

TEST_CASE("Each protocol fault of a client has its close code, and the app gets no message from it") {
  struct Row {
    const char* name;
    std::vector<std::byte> bytes;
    std::uint16_t code;
  };
  const auto rows = std::vector<Row>{
      {"5.1 unmasked", FrameBytes{}.fin().text().payload("x").build(), 1002},
      {"5.2 RSV1 without an extension", FrameBytes{}.fin().rsv1().text().masked().payload("x").build(), 1002},
      {"5.2 RSV2", FrameBytes{}.fin().rsv2().text().masked().payload("x").build(), 1002},
      {"5.2 reserved opcode", FrameBytes{}.fin().opcode(3).masked().payload("x").build(), 1002},
      {"5.2 length not minimal", FrameBytes{}.fin().text().masked().length16(5).payload("hello").build(),
       1002},
      {"5.4 nothing to continue", FrameBytes{}.fin().continuation().masked().payload("x").build(), 1002},
      {"5.5 fragmented ping", FrameBytes{}.ping().masked().build(), 1002},
      {"5.5.1 close of one byte", FrameBytes{}.fin().close().masked().payload("x").build(), 1002},
      {"7.4 close code 1005", FrameBytes{}.fin().close().masked().payload("\x03\xed").build(), 1002},
      {"5.5.1 close reason", FrameBytes{}.fin().close().masked().payload("\x03\xe8\xff").build(), 1007},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    RelayRig rig;
    rig.client_says(row.bytes);
    REQUIRE(rig.client.messages().size() == 1);
    CHECK(close_code(rig.client.messages()[0]) == row.code);
    REQUIRE(rig.app.messages().size() == 1);
    CHECK(close_code(rig.app.messages()[0]) == row.code);
    CHECK(rig.relay().ending().by == relay::EndedBy::proxy);
    CHECK_FALSE(rig.relay().listens(relay::Leg::client));
    CHECK(rig.relay().may_shut_down(relay::Leg::client));
  }
}

TEST_CASE("A compressed message that comes at once is the same to the app as one that comes in pieces") {
  test::Deflater deflater(12);
  RelayRig at_once(compressed(12));
  RelayRig in_pieces(compressed(12));
  for (const std::size_t size : {500u, 3000u, 5000u, 20000u, 65535u, 65536u, 65537u, 90000u, 4000u}) {
    CAPTURE(size);
    const std::string text = letters(size);
    const auto frame = FrameBytes{}.fin().rsv1().text().masked().payload(deflater.message(text)).build();
    at_once.client_says(frame);
    for (std::size_t at = 0; at < frame.size(); at += 700) {
      const auto left = std::min<std::size_t>(700, frame.size() - at);
      in_pieces.client_says(std::vector<std::byte>(frame.data() + at, frame.data() + at + left));
    }
    CHECK(at_once.app.messages().back() == SeenMessage{1, false, text});
    CHECK(at_once.app.messages() == in_pieces.app.messages());
    CHECK(at_once.app.frames().size() == in_pieces.app.frames().size());
    CHECK(at_once.meter.messages == in_pieces.meter.messages);
  }
}

TEST_CASE("10.4, 8.1: a compressed message that comes at once is judged like any other") {
  const std::string text = letters(5000);
  const auto say = [](RelayRig& rig, const std::string& packed) {
    rig.client_says(FrameBytes{}.fin().rsv1().text().masked().payload(packed).build());
  };
  for (const std::size_t limit : {5000u, 4999u}) {
    auto options = compressed();
    options.max_message_bytes = limit;
    RelayRig rig(options);
    say(rig, test::Deflater{15}.message(text));
    if (limit == 5000) {
      CHECK(rig.app.messages().at(0).payload == text);
    } else {
      CHECK(close_code(rig.client.messages().at(0)) == 1009);
      CHECK(close_code(rig.app.messages().at(0)) == 1009);
    }
  }
  for (const auto* bad : {"\xff", "half \xe2\x82"}) {
    RelayRig rig(compressed());
    say(rig, test::Deflater{15}.message(text + bad));
    CHECK(close_code(rig.client.messages().at(0)) == 1007);
    CHECK(rig.app.messages().at(0).opcode == 8);
  }
  auto corrupt = test::Deflater{15}.message(text);
  corrupt.resize(corrupt.size() - 5);
  RelayRig rig(compressed());
  say(rig, corrupt);
  CHECK(close_code(rig.client.messages().at(0)) == 1007);
}

TEST_CASE("7692 7.2.2: a corrupt deflate stream is 1007 and the worker's decoder stays sound") {
  RelayRig rig(compressed());
  rig.client_says(FrameBytes{}.fin().rsv1().text().masked().payload("\xff\xff\xff\xff").build());
  REQUIRE(rig.client.messages().size() == 1);
  CHECK(close_code(rig.client.messages()[0]) == 1007);
}

TEST_CASE("A fault inside a frame that streams to the app cuts the app leg: no close frame fits there") {
  RelayRig rig;
  auto bytes = FrameBytes{}.fin().text().masked().length16(300).payload("abc\xff").build();
  rig.client_says(base::Bytes{bytes}.first(bytes.size() - 1));
  rig.client_says(base::Bytes{bytes}.last(1));
  CHECK(rig.app.messages().empty());
  CHECK(rig.relay().must_cut(relay::Leg::app));
  CHECK(close_code(rig.client.messages().at(0)) == 1007);
}
