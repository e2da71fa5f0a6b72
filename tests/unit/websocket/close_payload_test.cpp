#include "websocket/close_payload.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "support/frame_bytes.hpp"
#include "websocket/utf8.hpp"

namespace wsproxy::websocket {
namespace {

using test::FrameBytes;

std::string payload_of(unsigned code, std::string_view reason = "") {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return payload.append(reason);
}

std::vector<std::byte> close_frame(std::uint16_t code, std::string_view reason) {
  base::ByteQueue queue;
  append_close_frame(FrameHeader{}, code, reason, queue);
  return {queue.view().begin(), queue.view().end()};
}

TEST_CASE("7.4: of all 65536 codes these may be received and no others") {
  for (unsigned code = 0; code <= 0xFFFF; ++code) {
    // 7.4.2: 0-999 are not used; 1004-1006 and 1015 are reserved; 1016-2999 are not yet given out.
    const bool allowed = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                         (code >= 3000 && code <= 3999) || (code >= 4000 && code <= 4999);
    const std::string payload = payload_of(code);
    ClosePayload result;
    const Fault fault = parse_close_payload(base::as_bytes(payload), result);
    if (fault != (allowed ? Fault::none : Fault::close_code_illegal)) FAIL("code " << code);
    if (allowed) REQUIRE(result.code == code);
  }
}

TEST_CASE("5.5.1: a close payload is empty, or a code, or a code and UTF-8") {
  struct Row {
    std::string payload;
    Fault fault;
    std::uint16_t code;
    std::string_view reason;
  };
  const Row rows[] = {
      {"", Fault::none, 1005, ""},
      {"\x03", Fault::close_payload_of_one, 1005, ""},
      {payload_of(1000), Fault::none, 1000, ""},
      {payload_of(1001, "bye"), Fault::none, 1001, "bye"},
      {payload_of(4999, "\xe2\x82\xac"), Fault::none, 4999, "\xe2\x82\xac"},
      {payload_of(3000, std::string(123, 'r')), Fault::none, 3000, ""},
      {payload_of(1000, "\xff"), Fault::close_reason_not_utf8, 1005, ""},
      {payload_of(1000, "half \xe2\x82"), Fault::close_reason_not_utf8, 1005, ""},
      {payload_of(1000, "\xed\xa0\x80"), Fault::close_reason_not_utf8, 1005, ""},
      {payload_of(1005, "bye"), Fault::close_code_illegal, 1005, ""},
      {payload_of(1006), Fault::close_code_illegal, 1005, ""},
  };
  for (const Row& row : rows) {
    ClosePayload result{77, "from before"};
    CHECK(parse_close_payload(base::as_bytes(row.payload), result) == row.fault);
    CHECK(result.code == row.code);
    if (row.payload.size() < 125) {
      CHECK(result.reason == row.reason);
    } else {
      CHECK(result.reason == row.payload.substr(2));
    }
  }
}

TEST_CASE("5.5.1: a close frame has the code in network byte order and then the reason") {
  CHECK(close_frame(1000, "") == FrameBytes{}.fin().close().payload("\x03\xe8").build());
  CHECK(close_frame(1001, "going") == FrameBytes{}.fin().close().payload("\x03\xe9going").build());
  CHECK(close_frame(close_code::no_status, "not sent") == FrameBytes{}.fin().close().build());
}

TEST_CASE(
    "5.5.1: a close frame is a whole control frame, masked as the header says, whatever else is in it") {
  FrameHeader header;
  header.fin = false;
  header.rsv1 = true;
  header.opcode = Opcode::binary;
  header.masked = true;
  header.mask_key = test::kSomeKey;
  base::ByteQueue queue;
  append_close_frame(header, 1002, "no", queue);
  append_close_frame(header, close_code::no_status, "", queue);
  std::vector<std::byte> expected = FrameBytes{}.fin().close().masked().payload("\x03\xeano").build();
  const auto empty = FrameBytes{}.fin().close().masked().build();
  expected.insert(expected.end(), empty.begin(), empty.end());
  CHECK(std::vector<std::byte>(queue.view().begin(), queue.view().end()) == expected);
}

TEST_CASE("5.5: a reason that is too long is cut between characters") {
  for (const std::string_view character : {"a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    for (std::size_t lead = 0; lead < 4; ++lead) {
      for (const std::size_t characters : {29U, 30U, 31U, 41U, 61U, 62U, 123U, 130U}) {
        std::string reason(lead, 'x');
        for (std::size_t i = 0; i < characters; ++i) reason += character;
        const auto bytes = close_frame(1000, reason);
        const std::string kept{base::as_text(base::Bytes{bytes}.subspan(4))};
        CHECK(kept == reason.substr(0, kept.size()));
        CHECK(is_valid_utf8(base::as_bytes(kept)));
        CHECK(kept.size() <= kMaxCloseReason);
        if (reason.size() <= kMaxCloseReason) CHECK(kept == reason);
        if (reason.size() > kMaxCloseReason) CHECK(kept.size() + character.size() > kMaxCloseReason);
      }
    }
  }
}

}  // namespace
}  // namespace wsproxy::websocket
