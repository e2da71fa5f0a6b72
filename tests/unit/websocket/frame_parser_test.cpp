#include "websocket/frame_parser.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "support/frame_bytes.hpp"
#include "support/splits.hpp"
#include "unit/websocket/frame_feed.hpp"

namespace wsproxy::websocket {
namespace {

using test::for_each_split;
using test::FrameBytes;
using test::Split;
using Event = FrameParser::Event;

TEST_CASE("5.7: the examples of the RFC are read as it says") {
  const auto octets = [](std::initializer_list<unsigned> values) {
    std::vector<std::byte> bytes;
    for (const unsigned value : values) bytes.push_back(static_cast<std::byte>(value));
    return bytes;
  };
  check_one_frame(Sender::server, octets({0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}), "Hello");
  check_one_frame(Sender::client, octets({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}),
                  "Hello");
  check_one_frame(Sender::server, octets({0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}), "Hello");
  check_one_frame(Sender::client, octets({0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}),
                  "Hello");
}

TEST_CASE("5.2: FIN, RSV1 and the opcode are reported as they came") {
  for (const Opcode opcode : {Opcode::continuation, Opcode::text, Opcode::binary}) {
    for (const bool fin : {false, true}) {
      for (const bool rsv1 : {false, true}) {
        FrameBytes frame;
        frame.opcode(opcode).payload("x");
        if (fin) frame.fin();
        if (rsv1) frame.rsv1();
        for_each_split(frame.build(), [&](Split split) {
          FrameParser parser{Sender::server};
          const Seen seen = feed_all(parser, split);
          REQUIRE(seen.frames.size() == 1);
          CHECK(seen.frames[0].header.opcode == opcode);
          CHECK(seen.frames[0].header.fin == fin);
          CHECK(seen.frames[0].header.rsv1 == rsv1);
          CHECK_FALSE(seen.frames[0].header.masked);
        });
      }
    }
  }
}

TEST_CASE("5.2: every form of length is read at its borders") {
  for (const std::uint64_t length :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{125}, std::uint64_t{126}, std::uint64_t{127},
        std::uint64_t{255}, std::uint64_t{256}, std::uint64_t{65535}, std::uint64_t{65536},
        std::uint64_t{0x100000000}, (std::uint64_t{1} << 63) - 1}) {
    INFO("length " << length);
    for (const bool masked : {false, true}) {
      FrameBytes frame;
      frame.fin().binary();
      if (masked) frame.masked();
      if (length < 126) {
        frame.length7(static_cast<unsigned>(length));
      } else if (length <= 65535) {
        frame.length16(length);
      } else {
        frame.length64(length);
      }
      for_each_split(frame.build(), [&](Split split) {
        FrameParser parser{masked ? Sender::client : Sender::server};
        const Seen seen = feed_all(parser, split);
        CHECK(seen.fault == Fault::none);
        REQUIRE(seen.frames.size() == 1);
        CHECK(seen.frames[0].header.payload_size == length);
        CHECK(seen.frames[0].header.masked == masked);
        CHECK(seen.frames[0].complete == (length == 0));
      });
    }
  }
}

TEST_CASE("5.2: payloads at the borders of the forms come out whole and unmasked") {
  for (const std::size_t size : {0U, 1U, 2U, 125U, 126U, 127U, 1000U}) {
    std::string payload;
    for (std::size_t i = 0; i < size; ++i) payload += static_cast<char>(i * 7 % 251);
    check_one_frame(Sender::client, FrameBytes{}.fin().binary().masked().payload(payload).build(), payload);
    check_one_frame(Sender::server, FrameBytes{}.fin().binary().payload(payload).build(), payload);
  }
  for (const std::size_t size : {65535U, 65536U}) {
    const std::string payload(size, 'p');
    auto bytes = FrameBytes{}.fin().binary().masked().payload(payload).build();
    for (Split split : {test::whole(bytes), test::random_cuts(bytes, 7)}) {
      FrameParser parser{Sender::client};
      const Seen seen = feed_all(parser, split);
      REQUIRE(seen.frames.size() == 1);
      CHECK(seen.frames[0].payload == payload);
    }
  }
}

TEST_CASE("5.4: frames of a fragmented message with a ping between come out one by one, each with its key") {
  const MaskKey other_key{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  const auto bytes = join({FrameBytes{}.text().masked().payload("Hel").build(),
                           FrameBytes{}.fin().ping().masked(other_key).payload("p").build(),
                           FrameBytes{}.continuation().masked().build(),
                           FrameBytes{}.fin().continuation().masked(MaskKey{}).payload("lo").build()});
  for_each_split(bytes, [&](Split split) {
    FrameParser parser{Sender::client};
    const Seen seen = feed_all(parser, split);
    CHECK(seen.fault == Fault::none);
    REQUIRE(seen.frames.size() == 4);
    CHECK(seen.frames[0].payload == "Hel");
    CHECK(seen.frames[0].header.mask_key == test::kSomeKey);
    CHECK(seen.frames[1].payload == "p");
    CHECK(seen.frames[1].header.mask_key == other_key);
    CHECK(seen.frames[2].payload.empty());
    CHECK(seen.frames[2].complete);
    CHECK(seen.frames[3].payload == "lo");
    CHECK(parser.between_frames());
  });
}

TEST_CASE("max_payload bounds every step and changes nothing else") {
  const std::string payload(300, 'm');
  const auto bytes = join({FrameBytes{}.fin().binary().masked().payload(payload).build(),
                           FrameBytes{}.fin().text().masked().payload("x").build()});
  for (const std::size_t max_payload : {1U, 3U, 64U, 299U, 300U, 301U}) {
    for_each_split(bytes, [&](Split split) {
      FrameParser parser{Sender::client};
      const Seen seen = feed_all(parser, split, max_payload);
      REQUIRE(seen.frames.size() == 2);
      CHECK(seen.frames[0].payload == payload);
      CHECK(seen.frames[1].payload == "x");
    });
  }
}

TEST_CASE("an empty frame is completed without any further input") {
  FrameParser parser{Sender::client};
  auto bytes = FrameBytes{}.fin().text().masked().build();
  const FrameParser::Step header = parser.feed(bytes);
  CHECK(header.event == Event::header);
  CHECK(header.used == bytes.size());
  const FrameParser::Step payload = parser.feed({});
  CHECK(payload.event == Event::payload);
  CHECK(payload.used == 0);
  CHECK(payload.frame_complete);
  CHECK(parser.feed({}).event == Event::need_more);
}

TEST_CASE("a frame that has begun is not between frames") {
  auto bytes = FrameBytes{}.fin().text().masked().payload("ab").build();
  FrameParser parser{Sender::client};
  CHECK(parser.between_frames());
  CHECK(parser.feed({}).event == Event::need_more);
  CHECK(parser.between_frames());
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    parser.feed({&bytes[i], 1});
    CHECK_FALSE(parser.between_frames());
  }
  parser.feed({&bytes.back(), 1});
  CHECK(parser.between_frames());
}

TEST_CASE("bytes after the step's are not touched") {
  FrameParser parser{Sender::client};
  auto bytes = join({FrameBytes{}.fin().text().masked().payload("ab").build(),
                     FrameBytes{}.fin().text().masked().payload("cd").build()});
  const auto before = bytes;
  parser.feed(bytes);
  parser.feed(base::MutableBytes{bytes}.subspan(6));
  CHECK(std::equal(bytes.begin() + 8, bytes.end(), before.begin() + 8));
}

}  // namespace
}  // namespace wsproxy::websocket
