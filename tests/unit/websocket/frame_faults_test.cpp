#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "support/frame_bytes.hpp"
#include "support/splits.hpp"
#include "unit/websocket/frame_feed.hpp"
#include "websocket/frame_parser.hpp"

namespace wsproxy::websocket {
namespace {

using test::for_each_split;
using test::FrameBytes;
using test::Split;
using Event = FrameParser::Event;

void check_refused(Sender sender, const std::vector<std::byte>& bytes, Fault expected) {
  for_each_split(bytes, [&](Split split) {
    FrameParser parser{sender};
    const Seen seen = feed_all(parser, split);
    CHECK(seen.fault == expected);
    CHECK(seen.frames.empty());
    CHECK(parser.fault() == expected);
    CHECK_FALSE(parser.between_frames());
  });
}

TEST_CASE("5.2: RSV2 and RSV3 must be 0") {
  for (const unsigned opcode : {0U, 1U, 2U, 8U, 9U, 10U}) {
    check_refused(Sender::client, FrameBytes{}.fin().rsv2().opcode(opcode).masked().build(),
                  Fault::reserved_bits);
    check_refused(Sender::server, FrameBytes{}.fin().rsv3().opcode(opcode).build(), Fault::reserved_bits);
    check_refused(Sender::server, FrameBytes{}.fin().rsv1().rsv2().rsv3().opcode(opcode).build(),
                  Fault::reserved_bits);
  }
}

TEST_CASE("5.2: opcodes 3-7 and 11-15 are reserved") {
  for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U}) {
    INFO("opcode " << opcode);
    check_refused(Sender::client, FrameBytes{}.fin().opcode(opcode).masked().payload("x").build(),
                  Fault::reserved_opcode);
    check_refused(Sender::server, FrameBytes{}.opcode(opcode).build(), Fault::reserved_opcode);
  }
}

TEST_CASE("5.1: a frame from a client must be masked") {
  for (const unsigned opcode : {0U, 1U, 2U, 8U, 9U, 10U}) {
    check_refused(Sender::client, FrameBytes{}.fin().opcode(opcode).payload("hello").build(),
                  Fault::unmasked_client_frame);
    check_refused(Sender::client, FrameBytes{}.fin().opcode(opcode).build(), Fault::unmasked_client_frame);
  }
}

TEST_CASE("5.1: a frame from a server must not be masked") {
  for (const unsigned opcode : {0U, 1U, 2U, 8U, 9U, 10U}) {
    check_refused(Sender::server, FrameBytes{}.fin().opcode(opcode).masked().payload("hello").build(),
                  Fault::masked_server_frame);
    check_refused(Sender::server, FrameBytes{}.fin().opcode(opcode).masked().build(),
                  Fault::masked_server_frame);
  }
}

TEST_CASE("5.5: a control frame has at most 125 bytes") {
  for (const Opcode opcode : {Opcode::close, Opcode::ping, Opcode::pong}) {
    const std::string most(125, 'c');
    check_one_frame(Sender::client, FrameBytes{}.fin().opcode(opcode).masked().payload(most).build(), most);
    check_refused(Sender::client, FrameBytes{}.fin().opcode(opcode).masked().payload(most + "c").build(),
                  Fault::control_too_long);
    check_refused(Sender::server, FrameBytes{}.fin().opcode(opcode).length64(65536).build(),
                  Fault::control_too_long);
    check_refused(Sender::server, FrameBytes{}.fin().opcode(opcode).length16(5).payload("hello").build(),
                  Fault::control_too_long);
  }
}

TEST_CASE("5.5: a control frame must not be fragmented") {
  for (const Opcode opcode : {Opcode::close, Opcode::ping, Opcode::pong}) {
    check_refused(Sender::client, FrameBytes{}.opcode(opcode).masked().build(), Fault::control_fragmented);
  }
}

TEST_CASE("7692 6.1: a control frame must not have RSV1") {
  for (const Opcode opcode : {Opcode::close, Opcode::ping, Opcode::pong}) {
    check_refused(Sender::client, FrameBytes{}.fin().rsv1().opcode(opcode).masked().build(),
                  Fault::rsv1_on_control);
  }
}

TEST_CASE("5.2: a length is refused unless it is in its shortest form") {
  for (const unsigned length : {0U, 1U, 5U, 125U}) {
    check_refused(Sender::client, FrameBytes{}.fin().text().masked().length16(length).build(),
                  Fault::length_not_minimal);
  }
  for (const unsigned length : {0U, 1U, 125U, 126U, 65535U}) {
    check_refused(Sender::server, FrameBytes{}.fin().binary().length64(length).build(),
                  Fault::length_not_minimal);
  }
}

TEST_CASE("5.2: the top bit of a 64-bit length must be 0") {
  for (const std::uint64_t length : {std::uint64_t{1} << 63, (std::uint64_t{1} << 63) + 5, UINT64_MAX}) {
    check_refused(Sender::client, FrameBytes{}.fin().text().masked().length64(length).build(),
                  Fault::length_top_bit);
    check_refused(Sender::server, FrameBytes{}.fin().text().length64(length).build(), Fault::length_top_bit);
  }
}

TEST_CASE("a header is judged as soon as the byte that shows the fault is there") {
  struct Row {
    std::vector<std::byte> bytes;
    std::size_t shown_by;  // how many bytes it takes
    Fault fault;
  };
  const Row rows[] = {
      {FrameBytes{}.fin().rsv2().text().masked().build(), 1, Fault::reserved_bits},
      {FrameBytes{}.fin().opcode(3).masked().build(), 1, Fault::reserved_opcode},
      {FrameBytes{}.ping().masked().build(), 1, Fault::control_fragmented},
      {FrameBytes{}.fin().rsv1().ping().masked().build(), 1, Fault::rsv1_on_control},
      {FrameBytes{}.fin().text().build(), 2, Fault::unmasked_client_frame},
      {FrameBytes{}.fin().ping().masked().length16(126).build(), 2, Fault::control_too_long},
      {FrameBytes{}.fin().text().masked().length64(UINT64_MAX).build(), 3, Fault::length_top_bit},
      {FrameBytes{}.fin().text().masked().length16(125).build(), 4, Fault::length_not_minimal},
      {FrameBytes{}.fin().text().masked().length64(65535).build(), 10, Fault::length_not_minimal},
  };
  for (const Row& row : rows) {
    FrameParser parser{Sender::client};
    for (std::size_t i = 0; i < row.shown_by; ++i) {
      INFO("byte " << i);
      std::byte byte = row.bytes[i];
      const FrameParser::Step step = parser.feed({&byte, 1});
      CHECK(step.event == (i + 1 < row.shown_by ? Event::need_more : Event::fault));
    }
    CHECK(parser.fault() == row.fault);
  }
}

TEST_CASE("of several faults the one in the earliest byte is reported, at any split") {
  check_refused(Sender::client, FrameBytes{}.rsv2().opcode(11).length64(UINT64_MAX).build(),
                Fault::reserved_bits);
  check_refused(Sender::client, FrameBytes{}.opcode(11).length16(3).build(), Fault::reserved_opcode);
  check_refused(Sender::client, FrameBytes{}.rsv1().ping().length16(3).build(), Fault::control_fragmented);
  check_refused(Sender::client, FrameBytes{}.fin().ping().length16(3).build(), Fault::unmasked_client_frame);
  check_refused(Sender::server, FrameBytes{}.fin().text().masked().length16(3).build(),
                Fault::masked_server_frame);
}

TEST_CASE("after a fault every call gives the same fault again and touches nothing") {
  FrameParser parser{Sender::client};
  auto bad = FrameBytes{}.fin().text().payload("x").build();
  REQUIRE(parser.feed(bad).event == Event::fault);
  auto good = FrameBytes{}.fin().text().masked().payload("x").build();
  const auto before = good;
  const FrameParser::Step step = parser.feed(good);
  CHECK(step.event == Event::fault);
  CHECK(step.used == 0);
  CHECK(parser.fault() == Fault::unmasked_client_frame);
  CHECK(good == before);
}

TEST_CASE("a fault in a later frame leaves the earlier ones delivered") {
  const auto bytes = join({FrameBytes{}.fin().text().masked().payload("one").build(),
                           FrameBytes{}.fin().text().masked().build(),
                           FrameBytes{}.fin().opcode(5).masked().payload("two").build()});
  for_each_split(bytes, [](Split split) {
    FrameParser parser{Sender::client};
    const Seen seen = feed_all(parser, split);
    CHECK(seen.fault == Fault::reserved_opcode);
    REQUIRE(seen.frames.size() == 2);
    CHECK(seen.frames[0].payload == "one");
    CHECK(seen.frames[1].complete);
  });
}

}  // namespace
}  // namespace wsproxy::websocket
