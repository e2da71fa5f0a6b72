#include "doctor/server_reader.hpp"

#include <catch2/catch.hpp>

#include "doctor/client_deflate.hpp"
#include "support/frame_bytes.hpp"
#include "support/splits.hpp"

namespace wsproxy::doctor {
namespace {

using test::FrameBytes;
using websocket::Opcode;

const Agreed kCompressed{.compression = true};

std::string joined(std::initializer_list<FrameBytes> frames) {
  std::string bytes;
  for (const auto& frame : frames) bytes += base::as_text(frame.build());
  return bytes;
}

std::string problem_of(const std::string& bytes, const Agreed& agreed = {}) {
  std::string problem;
  test::for_each_split(base::as_bytes(bytes), [&](const test::Split& split) {
    ServerReader reader{agreed};
    for (const auto& piece : split.pieces) reader.feed(piece);
    while (reader.take()) continue;
    problem = reader.problem();
  });
  return problem;
}

TEST_CASE("messages, control frames between their fragments and the close frame come in order") {
  const std::string bytes =
      joined({FrameBytes{}.text().payload("one "), FrameBytes{}.fin().ping().payload("p"),
              FrameBytes{}.fin().continuation().payload("message"),
              FrameBytes{}.fin().binary().payload(std::string(70'000, 'b')),
              FrameBytes{}.fin().close().payload("\x03\xe8"
                                                 "bye"),
              FrameBytes{}.fin().text()});
  test::for_each_split(base::as_bytes(bytes), [](const test::Split& split) {
    ServerReader reader{{}};
    for (const auto& piece : split.pieces) CHECK(reader.feed(piece));
    auto event = reader.take();
    REQUIRE(event);
    CHECK(event->opcode == Opcode::ping);
    CHECK(event->payload == "p");
    event = reader.take();
    REQUIRE(event);
    CHECK(event->opcode == Opcode::text);
    CHECK(event->payload == "one message");
    CHECK(reader.take()->payload.size() == 70'000);
    event = reader.take();
    REQUIRE(event);
    CHECK(event->opcode == Opcode::close);
    CHECK(event->close_code == 1000);
    CHECK(event->payload == "bye");
    CHECK_FALSE(reader.take());
    CHECK(reader.is_closed());
    CHECK(reader.problem().empty());
  });
}

TEST_CASE("a close frame without a code is 1005") {
  ServerReader reader{{}};
  CHECK(reader.feed(FrameBytes{}.fin().close().build()));
  CHECK(reader.take()->close_code == 1005);
}

TEST_CASE("what a server may not send is named") {
  const auto frame = [](const FrameBytes& bytes) { return joined({bytes}); };
  CHECK(problem_of(frame(FrameBytes{}.fin().text().masked().payload("x"))) ==
        "a frame from the server is masked");
  CHECK(problem_of(frame(FrameBytes{}.fin().text().rsv1())) == "reserved bits are set");
  CHECK(problem_of(frame(FrameBytes{}.fin().text().rsv2()), kCompressed) == "reserved bits are set");
  CHECK(problem_of(frame(FrameBytes{}.fin().opcode(3))) == "the opcode is reserved");
  CHECK(problem_of(frame(FrameBytes{}.fin().text().length16(5).payload("hello"))) ==
        "a length is not in its shortest form");
  CHECK(problem_of(frame(FrameBytes{}.ping())) == "a control frame is fragmented");
  CHECK(problem_of(frame(FrameBytes{}.fin().ping().payload(std::string(126, 'x')))) ==
        "a control frame is longer than 125 bytes");
  CHECK(problem_of(frame(FrameBytes{}.fin().continuation())) ==
        "a continuation frame has nothing to continue");
  CHECK(problem_of(joined({FrameBytes{}.text(), FrameBytes{}.fin().text()})) ==
        "a message begins inside another");
  CHECK(problem_of(frame(FrameBytes{}.fin().text().payload("caf\xff"))) == "text is not valid UTF-8");
  CHECK_FALSE(problem_of(frame(FrameBytes{}.fin().close().payload("\x03"))).empty());
  CHECK(problem_of(frame(FrameBytes{}.fin().close().payload("\x03\xed"))) ==
        "a close frame has a status code that may not be sent");
  CHECK(problem_of(frame(FrameBytes{}.fin().ping().rsv1()), kCompressed) == "RSV1 is set on a control frame");
  CHECK(problem_of(joined({FrameBytes{}.text().rsv1(), FrameBytes{}.fin().continuation().rsv1()}),
                   kCompressed) == "RSV1 is set on a continuation frame");
}

TEST_CASE("what is more than is kept ends the reading, and breaks no rule") {
  ServerReader reader{{}};
  CHECK_FALSE(reader.feed(FrameBytes{}.fin().binary().length64(std::uint64_t{1} << 40).build()));
  CHECK(reader.problem() == "a message of more than 96 MiB");
  CHECK(reader.is_over_bound());

  ServerReader broken{{}};
  CHECK_FALSE(broken.feed(FrameBytes{}.fin().text().masked().build()));
  CHECK_FALSE(broken.is_over_bound());
}

TEST_CASE("compressed messages are held against what was agreed") {
  ClientDeflate deflate{15, true};
  const std::string first = deflate.compress("a message like the other"),
                    second = deflate.compress("a message like the other");
  const std::string both = joined(
      {FrameBytes{}.fin().text().rsv1().payload(first), FrameBytes{}.fin().text().rsv1().payload(second)});
  CHECK(problem_of(both, kCompressed).empty());
  Agreed alone = kCompressed;
  alone.server_no_context_takeover = true;
  CHECK(problem_of(both, alone) ==
        "a compressed message that does not inflate with the window and takeover that were agreed");

  ServerReader reader{kCompressed};
  const auto bytes = test::to_vector(both + joined({FrameBytes{}.fin().text().payload("plain")}));
  CHECK(reader.feed(bytes));
  const auto event = reader.take();
  CHECK(event->compressed);
  CHECK(event->payload == "a message like the other");
  CHECK(reader.take()->payload == "a message like the other");
  CHECK_FALSE(reader.take()->compressed);
  CHECK(problem_of(joined({FrameBytes{}.fin().text().rsv1().payload(stored_message("caf\xff", 9))}),
                   kCompressed) == "text is not valid UTF-8");
}

TEST_CASE("after a breach nothing more is read") {
  ServerReader reader{{}};
  CHECK_FALSE(reader.feed(FrameBytes{}.fin().text().masked().build()));
  CHECK_FALSE(reader.feed(FrameBytes{}.fin().text().payload("too late").build()));
  CHECK_FALSE(reader.take());
}

}  // namespace
}  // namespace wsproxy::doctor
