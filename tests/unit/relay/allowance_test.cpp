#include "relay/allowance.hpp"

#include <catch2/catch.hpp>

#include "support/frame_bytes.hpp"
#include "support/relay_rig.hpp"
#include "support/splits.hpp"

using namespace wsproxy;
using relay::Allowance;
using relay::Leg;
using test::FrameBytes;
using test::RelayRig;

namespace {

constexpr std::size_t kShortHeader = 6;  // of a masked frame of up to 125 bytes

void append(std::vector<std::byte>& to, const std::vector<std::byte>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

std::vector<std::byte> texts(int count, const std::string& payload) {
  std::vector<std::byte> bytes;
  for (int i = 0; i < count; ++i) append(bytes, FrameBytes{}.fin().text().masked().payload(payload).build());
  return bytes;
}

RelayRig::Options compressed() {
  RelayRig::Options options;
  options.params = deflate::Params{};
  return options;
}

/// What is gone of an allowance after a client said all of this, cut as the split has it.
Allowance cost_of(const std::vector<std::byte>& bytes, const RelayRig::Options& options) {
  Allowance first;
  bool is_first = true;
  test::for_each_split(bytes, [&](const test::Split& split) {
    RelayRig rig(options);
    Allowance left{1'000'000, 1'000'000, 1'000'000};
    for (auto piece : split.pieces) rig.client_may_say(piece, left);
    const Allowance cost{1'000'000 - left.messages, 1'000'000 - left.bytes, 1'000'000 - left.control_frames};
    if (std::exchange(is_first, false)) first = cost;
    CHECK(cost == first);
  });
  return first;
}

}  // namespace

TEST_CASE("A message costs one and its bytes, the frame's header among them, plain or inflated") {
  CHECK(cost_of(texts(1, "hello"), {}) == Allowance{1, kShortHeader + 5, 0});
  CHECK(cost_of(texts(1, std::string(126, 'x')), {}) == Allowance{1, kShortHeader + 2 + 126, 0});
  CHECK(cost_of(texts(1, std::string(65536, 'x')), {}) == Allowance{1, kShortHeader + 8 + 65536, 0});
  test::Deflater deflater(15);
  const std::string packed = deflater.message(std::string(5000, 'x'));
  const auto frame = FrameBytes{}.fin().text().rsv1().masked().payload(packed).build();
  CHECK(cost_of(frame, compressed()) == Allowance{1, kShortHeader + 5000, 0});
}

TEST_CASE("Empty messages and empty fragments are not free") {
  CHECK(cost_of(texts(3, ""), {}) == Allowance{3, 3 * kShortHeader, 0});
  auto bytes = FrameBytes{}.text().masked().build();
  for (int i = 0; i < 10; ++i) append(bytes, FrameBytes{}.continuation().masked().build());
  append(bytes, FrameBytes{}.fin().continuation().masked().build());
  CHECK(cost_of(bytes, {}) == Allowance{12, 12 * kShortHeader, 0});
}

TEST_CASE("A fragment counts as a message when it is small and not the last") {
  auto bytes = FrameBytes{}.text().masked().payload(std::string(126, 'a')).build();
  append(bytes, FrameBytes{}.continuation().masked().payload(std::string(125, 'b')).build());
  append(bytes, FrameBytes{}.fin().continuation().masked().payload("c").build());
  CHECK(cost_of(bytes, {}).messages == 2);
}

TEST_CASE("Pings and pongs cost a control frame and nothing else; a close frame is free") {
  auto bytes = FrameBytes{}.fin().ping().masked().payload("a").build();
  append(bytes, FrameBytes{}.fin().pong().masked().payload("b").build());
  append(bytes, FrameBytes{}.fin().close().masked().build());
  CHECK(cost_of(bytes, {}) == Allowance{0, 0, 2});
}

TEST_CASE("Reading stops behind the message that uses the allowance up, and goes on with a new one") {
  auto bytes = texts(10, "hello");
  RelayRig rig;
  Allowance two{.messages = 2};
  std::size_t used = rig.client_may_say(bytes, two);
  CHECK(rig.app.messages().size() == 2);
  CHECK(used == 2 * (kShortHeader + 5));
  Allowance none{.messages = 0};
  CHECK(rig.relay().received_within(
            Leg::client, base::MutableBytes{bytes}.subspan(used),
            {*std::make_unique<base::ByteQueue>(), *std::make_unique<base::ByteQueue>()}, none) == 0);
  Allowance rest;
  used += rig.client_may_say(base::MutableBytes{bytes}.subspan(used), rest);
  CHECK(used == bytes.size());
  CHECK(rig.app.messages().size() == 10);
}

TEST_CASE("A ping flood stops behind the last ping that is allowed") {
  std::vector<std::byte> bytes;
  for (int i = 0; i < 100; ++i) append(bytes, FrameBytes{}.fin().ping().masked().payload("x").build());
  RelayRig rig;
  Allowance some{.control_frames = 7};
  CHECK(rig.client_may_say(bytes, some) == 7 * (kShortHeader + 1));
  CHECK(rig.app.messages().size() == 7);
}

TEST_CASE("An app's messages, small fragments and control frames are taken within an allowance too") {
  std::vector<std::byte> bytes;
  for (int i = 0; i < 3; ++i) append(bytes, FrameBytes{}.fin().text().payload("hello").build());
  append(bytes, FrameBytes{}.text().payload("a").build());
  append(bytes, FrameBytes{}.fin().continuation().payload(std::string(200, 'b')).build());
  append(bytes, FrameBytes{}.fin().ping().payload("c").build());
  for (const auto& options : {RelayRig::Options{}, compressed()}) {
    RelayRig rig(options);
    Allowance two{.messages = 2};
    std::size_t used = rig.app_may_say(bytes, two);
    CHECK(used == 2 * (2 + 5));
    CHECK(rig.client.messages().size() == 2);
    Allowance fragment{.messages = 2};
    used += rig.app_may_say(base::MutableBytes{bytes}.subspan(used), fragment);
    CHECK(used == 3 * (2 + 5) + 2);
    Allowance rest{.control_frames = 1};
    used += rig.app_may_say(base::MutableBytes{bytes}.subspan(used), rest);
    CHECK(used == bytes.size());
    CHECK(rest == Allowance{.messages = Allowance::kNoLimit - 1, .control_frames = 0});
    REQUIRE(rig.client.messages().size() == 5);
    CHECK(rig.client.messages()[3].payload == "a" + std::string(200, 'b'));
  }
}

TEST_CASE("One large message is taken in as many bytes as are allowed, and arrives whole") {
  const std::string text(200'000, 'x');
  auto bytes = texts(1, text);
  RelayRig rig;
  std::size_t used = 0;
  int rounds = 0;
  while (used < bytes.size()) {
    Allowance some{.bytes = 10'000};
    const std::size_t taken = rig.client_may_say(base::MutableBytes{bytes}.subspan(used), some);
    REQUIRE(taken <= 10'000);
    used += taken;
    ++rounds;
  }
  CHECK(rounds == 21);
  REQUIRE(rig.app.messages().size() == 1);
  CHECK(rig.app.messages()[0].payload == text);
}

TEST_CASE("A bomb inflates no further than is allowed, by one fragment at most") {
  const std::string text(2'000'000, 'x');
  test::Deflater deflater(15);
  auto bytes = FrameBytes{}.fin().text().rsv1().masked().payload(deflater.message(text)).build();
  RelayRig rig(compressed());
  std::size_t used = 0;
  while (used < bytes.size() || rig.relay().is_stalled(Leg::client)) {
    Allowance some{.bytes = 10'000};
    used += rig.client_may_say(base::MutableBytes{bytes}.subspan(used), some);
    REQUIRE(some.bytes >= 10'000 - 2 * static_cast<std::int64_t>(relay::kWholeMessage));
    REQUIRE(some.bytes <= 0);
  }
  REQUIRE(rig.app.messages().size() == 1);
  CHECK(rig.app.messages()[0].payload == text);
}

TEST_CASE("7.4.1: a client that is refused gets the close frame, the app too, and nothing it says counts") {
  RelayRig rig;
  rig.client_says(texts(1, "before"));
  rig.refuses_client(1008);
  rig.client_says(texts(1, "after"));
  REQUIRE(rig.client.messages().size() == 1);
  CHECK(rig.client.messages()[0] == test::SeenMessage{8, false, "\x03\xf0refused"});
  REQUIRE(rig.app.messages().size() == 2);
  CHECK(rig.app.messages()[1] == test::SeenMessage{8, false, "\x03\xf0refused"});
  CHECK(rig.relay().may_shut_down(Leg::client));
  CHECK(rig.relay().ending().by == relay::EndedBy::proxy);
  CHECK(rig.relay().ending().code == 1008);
}

TEST_CASE("A client that is refused inside a frame, or while its text waits, leaves nothing behind") {
  RelayRig inside;
  auto bytes = texts(1, std::string(1000, 'x'));
  Allowance some{.bytes = 500};
  inside.client_may_say(bytes, some);
  inside.refuses_client(1008);
  CHECK(inside.relay().must_cut(Leg::app));

  test::Deflater deflater(15);
  auto bomb =
      FrameBytes{}.fin().text().rsv1().masked().payload(deflater.message(std::string(500'000, 'x'))).build();
  RelayRig stalled(compressed());
  Allowance little{.bytes = 1000};
  stalled.client_may_say(bomb, little);
  REQUIRE(stalled.relay().is_stalled(Leg::client));
  stalled.refuses_client(1008);
  CHECK_FALSE(stalled.relay().is_stalled(Leg::client));
}
