#include "websocket/message_rules.hpp"

#include <vector>

#include <catch2/catch.hpp>

namespace wsproxy::websocket {
namespace {

constexpr bool kCompressed = true;
constexpr bool kPlain = false;

FrameHeader frame(Opcode opcode, bool fin, bool rsv1 = false, std::uint64_t payload_size = 1) {
  FrameHeader header;
  header.opcode = opcode;
  header.fin = fin;
  header.rsv1 = rsv1;
  header.payload_size = payload_size;
  return header;
}

constexpr bool kFin = true;
constexpr bool kMore = false;
constexpr bool kRsv1 = true;

/// The fault of the last frame; the ones before it are in order.
Fault last_fault(bool compression, const std::vector<FrameHeader>& frames) {
  MessageRules rules{compression};
  for (std::size_t i = 0; i + 1 < frames.size(); ++i) REQUIRE(rules.on_header(frames[i]) == Fault::none);
  return rules.on_header(frames.back());
}

TEST_CASE("5.4: what a frame may be after the ones before it") {
  struct Row {
    const char* what;
    bool compression;
    std::vector<FrameHeader> frames;
    Fault fault;
  };
  const Row rows[] = {
      {"one frame", kPlain, {frame(Opcode::text, kFin)}, Fault::none},
      {"two messages", kPlain, {frame(Opcode::text, kFin), frame(Opcode::binary, kFin)}, Fault::none},
      {"three fragments",
       kPlain,
       {frame(Opcode::text, kMore), frame(Opcode::continuation, kMore), frame(Opcode::continuation, kFin)},
       Fault::none},
      {"a message after a fragmented one",
       kPlain,
       {frame(Opcode::text, kMore), frame(Opcode::continuation, kFin), frame(Opcode::text, kFin)},
       Fault::none},
      {"a continuation first", kPlain, {frame(Opcode::continuation, kFin)}, Fault::unexpected_continuation},
      {"a continuation first, more to come",
       kPlain,
       {frame(Opcode::continuation, kMore)},
       Fault::unexpected_continuation},
      {"a continuation after a whole message",
       kPlain,
       {frame(Opcode::text, kFin), frame(Opcode::continuation, kFin)},
       Fault::unexpected_continuation},
      {"a continuation after the last fragment",
       kPlain,
       {frame(Opcode::text, kMore), frame(Opcode::continuation, kFin), frame(Opcode::continuation, kFin)},
       Fault::unexpected_continuation},
      {"text inside a message",
       kPlain,
       {frame(Opcode::text, kMore), frame(Opcode::text, kFin)},
       Fault::expected_continuation},
      {"binary inside a message",
       kPlain,
       {frame(Opcode::text, kMore), frame(Opcode::continuation, kMore), frame(Opcode::binary, kMore)},
       Fault::expected_continuation},
      {"5.5: control frames inside a message",
       kPlain,
       {frame(Opcode::text, kMore), frame(Opcode::ping, kFin), frame(Opcode::pong, kFin),
        frame(Opcode::continuation, kFin)},
       Fault::none},
      {"a ping does not begin a message",
       kPlain,
       {frame(Opcode::ping, kFin), frame(Opcode::continuation, kFin)},
       Fault::unexpected_continuation},
      {"a ping does not end a message",
       kPlain,
       {frame(Opcode::text, kMore), frame(Opcode::ping, kFin), frame(Opcode::text, kFin)},
       Fault::expected_continuation},

      {"5.2: RSV1 without the extension", kPlain, {frame(Opcode::text, kFin, kRsv1)}, Fault::reserved_bits},
      {"5.2: RSV1 without the extension, on a continuation",
       kPlain,
       {frame(Opcode::text, kMore), frame(Opcode::continuation, kFin, kRsv1)},
       Fault::reserved_bits},
      {"7692 6: RSV1 on a whole message", kCompressed, {frame(Opcode::binary, kFin, kRsv1)}, Fault::none},
      {"7692 6.1: RSV1 on the first fragment only",
       kCompressed,
       {frame(Opcode::text, kMore, kRsv1), frame(Opcode::continuation, kFin)},
       Fault::none},
      {"7692 6.1: RSV1 on a continuation of a compressed message",
       kCompressed,
       {frame(Opcode::text, kMore, kRsv1), frame(Opcode::continuation, kFin, kRsv1)},
       Fault::rsv1_on_continuation},
      {"7692 6.1: RSV1 on a continuation of a plain message",
       kCompressed,
       {frame(Opcode::text, kMore), frame(Opcode::continuation, kFin, kRsv1)},
       Fault::rsv1_on_continuation},
      {"7692 6: a plain message although the extension is agreed",
       kCompressed,
       {frame(Opcode::text, kFin, kRsv1), frame(Opcode::text, kFin)},
       Fault::none},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    CHECK(last_fault(row.compression, row.frames) == row.fault);
  }
}

TEST_CASE("5.4: the kind of a message and its compression are its first frame's") {
  MessageRules rules{kCompressed};
  rules.on_header(frame(Opcode::binary, kMore, kRsv1));
  CHECK(rules.opcode() == Opcode::binary);
  CHECK(rules.compressed());

  rules.on_header(frame(Opcode::ping, kFin));
  rules.on_header(frame(Opcode::continuation, kMore));
  CHECK(rules.opcode() == Opcode::binary);
  CHECK(rules.compressed());

  rules.on_header(frame(Opcode::continuation, kFin));
  CHECK(rules.opcode() == Opcode::binary);
  CHECK(rules.compressed());

  rules.on_header(frame(Opcode::text, kFin));
  CHECK(rules.opcode() == Opcode::text);
  CHECK_FALSE(rules.compressed());
}

TEST_CASE("a message may have 1024 empty fragments and not one more") {
  const FrameHeader empty = frame(Opcode::continuation, kMore, false, 0);
  MessageRules rules{kPlain};
  for (int message = 0; message < 2; ++message) {
    REQUIRE(rules.on_header(frame(Opcode::text, kMore)) == Fault::none);
    for (int i = 0; i < MessageRules::kMaxEmptyFragments; ++i) {
      REQUIRE(rules.on_header(empty) == Fault::none);
      REQUIRE(rules.on_header(frame(Opcode::continuation, kMore)) == Fault::none);
      REQUIRE(rules.on_header(frame(Opcode::ping, kFin, false, 0)) == Fault::none);
    }
    REQUIRE(rules.on_header(frame(Opcode::continuation, kFin, false, 0)) == Fault::none);
  }
  REQUIRE(rules.on_header(frame(Opcode::text, kMore, false, 0)) == Fault::none);
  for (int i = 1; i < MessageRules::kMaxEmptyFragments; ++i) REQUIRE(rules.on_header(empty) == Fault::none);
  CHECK(rules.on_header(empty) == Fault::too_many_empty_fragments);
}

}  // namespace
}  // namespace wsproxy::websocket
