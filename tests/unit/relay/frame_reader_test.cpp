#include "relay/frame_reader.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "support/frame_bytes.hpp"
#include "support/splits.hpp"

using namespace wsproxy;
using relay::FrameReader;
using test::for_each_split;
using test::FrameBytes;
using test::Split;
using websocket::Fault;
using websocket::Sender;
using Event = FrameReader::Event;

namespace {

/// The events in words, the pieces of a frame's payload joined, up to the end of the split.
std::vector<std::string> read(FrameReader& reader, const Split& split, std::size_t max_payload = SIZE_MAX) {
  std::vector<std::string> seen;
  std::string payload;
  for (std::vector<std::byte> bytes : split.pieces) {
    base::MutableBytes input{bytes};
    for (;;) {
      const auto step = reader.next(input, max_payload);
      input = input.subspan(step.used);
      const auto opcode = std::to_string(static_cast<unsigned>(reader.header().opcode));
      if (step.event == Event::need_more) break;
      switch (step.event) {
        case Event::need_more:
          break;
        case Event::header:
          seen.push_back("header " + opcode);
          payload.clear();
          break;
        case Event::payload:
          CHECK(step.offset == payload.size());
          CHECK(step.payload.size() <= max_payload);
          payload += base::as_text(step.payload);
          if (step.frame_complete) seen.push_back("frame " + payload);
          if (step.message_complete) seen.emplace_back("message");
          break;
        case Event::control:
          seen.push_back("control " + opcode + " " + std::string{base::as_text(step.payload)});
          break;
        case Event::close:
          seen.push_back("close " + std::to_string(reader.close_payload().code) + " " +
                         std::string{reader.close_payload().reason});
          return seen;
        case Event::fault:
          seen.emplace_back("fault");
          return seen;
      }
    }
    CHECK(input.empty());
  }
  return seen;
}

std::vector<std::byte> join(std::initializer_list<std::vector<std::byte>> parts) {
  std::vector<std::byte> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::vector<std::byte> client_close() {
  return FrameBytes{}.fin().close().masked().payload("\x0f\xa0so long").build();
}

}  // namespace

TEST_CASE("5.4: a message in frames, control frames whole in between, and the close frame, at any split") {
  const auto bytes =
      join({FrameBytes{}.text().masked().payload("one").build(),
            FrameBytes{}.fin().ping().masked().payload("are you there").build(),
            FrameBytes{}.continuation().masked().build(), FrameBytes{}.fin().pong().masked().build(),
            FrameBytes{}.fin().continuation().masked().payload("two").build(),
            FrameBytes{}.fin().binary().masked().build(), client_close(),
            FrameBytes{}.fin().text().masked().payload("late").build()});
  for (const std::size_t max_payload : {std::size_t{1}, std::size_t{2}, SIZE_MAX}) {
    for_each_split(bytes, [&](const Split& split) {
      FrameReader reader(Sender::client, false);
      CHECK(read(reader, split, max_payload) ==
            std::vector<std::string>{"header 1", "frame one", "control 9 are you there", "header 0", "frame ",
                                     "control 10 ", "header 0", "frame two", "message", "header 2", "frame ",
                                     "message", "close 4000 so long"});
    });
  }
}

TEST_CASE("What is wrong with a frame, with its place or with a close frame is a fault, at any split") {
  struct Row {
    Fault fault;
    std::vector<std::byte> bytes;
  };
  const auto row = GENERATE(values<Row>({
      {Fault::unmasked_client_frame, FrameBytes{}.fin().text().payload("x").build()},
      {Fault::unexpected_continuation, FrameBytes{}.fin().continuation().masked().payload("x").build()},
      {Fault::expected_continuation,
       join({FrameBytes{}.text().masked().build(), FrameBytes{}.text().masked().build()})},
      {Fault::reserved_bits, FrameBytes{}.fin().rsv1().text().masked().payload("x").build()},
      {Fault::rsv1_on_control, FrameBytes{}.fin().rsv1().ping().masked().build()},
      {Fault::close_payload_of_one, FrameBytes{}.fin().close().masked().payload("x").build()},
      {Fault::close_reason_not_utf8, FrameBytes{}.fin().close().masked().payload("\x03\xe8\xff").build()},
  }));
  CAPTURE(describe(row.fault));
  for_each_split(join({row.bytes, client_close()}), [&](const Split& split) {
    FrameReader reader(Sender::client, false);
    CHECK(read(reader, split).back() == "fault");
    CHECK(reader.fault() == row.fault);
    CHECK(reader.next({}, 1).event == Event::fault);
  });
}

TEST_CASE("RSV1 is allowed where compression was agreed, and known of the message") {
  FrameReader reader(Sender::client, true);
  auto bytes = FrameBytes{}.fin().rsv1().binary().masked().payload("x").build();
  CHECK(reader.next(bytes, 1).event == Event::header);
  CHECK(reader.is_compressed());
  CHECK(reader.message_type() == websocket::Opcode::binary);
}

TEST_CASE("After a close frame every step says so and nothing behind it is looked at") {
  FrameReader reader(Sender::client, false);
  CHECK(read(reader, test::whole(client_close())) == std::vector<std::string>{"close 4000 so long"});
  std::vector<std::byte> more(3);
  const auto step = reader.next(more, SIZE_MAX);
  CHECK(step.event == Event::close);
  CHECK(step.used == more.size());
  CHECK(reader.close_payload().reason == "so long");
}

TEST_CASE("A fault that the direction found ends the reading; the first one stays") {
  FrameReader reader(Sender::client, false);
  reader.fail(Fault::none);
  auto bytes = FrameBytes{}.fin().text().masked().payload("x").build();
  CHECK(reader.next(bytes, 1).event == Event::header);
  reader.fail(Fault::message_too_big);
  reader.fail(Fault::none);
  reader.fail(Fault::invalid_utf8);
  CHECK(reader.next(bytes, 1).event == Event::fault);
  CHECK(reader.fault() == Fault::message_too_big);
}
