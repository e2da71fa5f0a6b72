#include "http/response_head.hpp"

#include <catch2/catch.hpp>

#include "reading.hpp"

namespace wsproxy::http {
namespace {

using test::for_each_response;

const std::string kUpgrade =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\r\n";

void expect_malformed(const std::string& bytes) {
  INFO("answer: " << bytes);
  for_each_response(bytes, [&](const auto& outcome) {
    CHECK(outcome.status == HeadStatus::malformed);
    CHECK_FALSE(outcome.problem.empty());
  });
}

/// What body() says about `bytes` after `head`, and how much of them it took.
void expect_body(const std::string& head, const std::string& bytes, ResponseHeadReader::BodyStatus expected,
                 std::size_t expected_used) {
  INFO(head << bytes.substr(0, 40));
  wsproxy::test::for_each_split(base::as_bytes(bytes), [&](const wsproxy::test::Split& split) {
    ResponseHeadReader reader{1000};
    std::size_t used = 0;
    REQUIRE(reader.feed(base::as_bytes(head), used) == HeadStatus::complete);
    REQUIRE(used == head.size());
    std::size_t body_used = 0;
    auto status = reader.body({}, body_used);
    for (const auto& piece : split.pieces) {
      if (status == ResponseHeadReader::BodyStatus::more) status = reader.body(piece, body_used);
    }
    CHECK(status == expected);
    CHECK(body_used == expected_used);
  });
}

using Body = ResponseHeadReader::BodyStatus;
const std::string kChunked = "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace

TEST_CASE("an answer is read with fields in order and its bytes as they came") {
  for_each_response(kUpgrade + "\x81\x00", [](const auto& outcome) {
    REQUIRE(outcome.status == HeadStatus::complete);
    CHECK(outcome.head.status == 101);
    CHECK(outcome.head.reason == "Switching Protocols");
    const std::vector<Field> expected = {
        {"Upgrade", "websocket"}, {"Set-Cookie", "a=1"}, {"set-cookie", "b=2"}};
    CHECK(outcome.head.fields.all() == expected);
    CHECK(outcome.head.raw == kUpgrade);
    CHECK(outcome.rest == std::string("\x81"));
  });
}

TEST_CASE("9110 15.2: interim answers are skipped, 101 is final") {
  const std::string interim =
      "HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 102 \r\n\r\n";
  for_each_response(interim + kUpgrade + "rest", [](const auto& outcome) {
    REQUIRE(outcome.status == HeadStatus::complete);
    CHECK(outcome.head.status == 101);
    CHECK(outcome.head.raw == kUpgrade);
    CHECK(outcome.head.fields.count("a") == 0);
    CHECK(outcome.rest == "rest");
  });
  for_each_response(interim, [](const auto& outcome) { CHECK(outcome.status == HeadStatus::need_more); });
}

TEST_CASE("an empty line between two answers is ignored") {
  for_each_response("HTTP/1.1 100 Continue\r\n\r\n\r\n" + kUpgrade, [](const auto& outcome) {
    CHECK(outcome.status == HeadStatus::complete);
    CHECK(outcome.head.raw == kUpgrade);
  });
}

TEST_CASE("interim answers without end are too large") {
  std::string bytes;
  for (int i = 0; i < 10; ++i) bytes += "HTTP/1.1 100 Continue\r\n\r\n";
  for_each_response(
      bytes, [](const auto& outcome) { CHECK(outcome.status == HeadStatus::too_large); }, 200);
}

TEST_CASE("an answer of just the limit is read, one byte more is too large") {
  for_each_response(
      kUpgrade, [](const auto& outcome) { CHECK(outcome.status == HeadStatus::complete); }, kUpgrade.size());
  for_each_response(
      kUpgrade, [](const auto& outcome) { CHECK(outcome.status == HeadStatus::too_large); },
      kUpgrade.size() - 1);
}

TEST_CASE("9112: an answer that breaks a rule of lines is malformed") {
  expect_malformed("HTTP/1.1 200 OK\nA: b\n\n");
  expect_malformed("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n");
  expect_malformed("HTTP/1.1 200 OK\r\nA : b\r\n\r\n");
  expect_malformed("HTTP/1.1 200 OK\r\nA: b\x01\r\n\r\n");
  expect_malformed("HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n");
}

TEST_CASE("9112 4: a status line that is none is malformed") {
  for (const std::string line : {"HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 099 Low", "HTTP/2.0 200 OK",
                                 "SSH-2.0-OpenSSH", "HTTP/1.1  200 OK", "101 Switching Protocols"}) {
    expect_malformed(line + "\r\n\r\n");
  }
  for_each_response("HTTP/1.0 200 \r\n\r\n", [](const auto& outcome) {
    CHECK(outcome.status == HeadStatus::complete);
    CHECK(outcome.head.version_minor == 0);
    CHECK(outcome.head.reason.empty());
  });
}

TEST_CASE("9112 4: the space before an empty reason may be missing") {
  for_each_response("HTTP/1.1 404\r\nA: b\r\n\r\n", [](const auto& outcome) {
    CHECK(outcome.status == HeadStatus::complete);
    CHECK(outcome.head.status == 404);
    CHECK(outcome.head.fields.first("a") == "b");
  });
}

TEST_CASE("9112 6.3: an answer whose end is in doubt is malformed") {
  expect_malformed("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
  expect_malformed("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n");
  expect_malformed("HTTP/1.1 200 OK\r\nContent-Length: one\r\n\r\n");
  expect_malformed("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST_CASE("9112 6.3: a body ends after its Content-Length") {
  const std::string head = "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n";
  expect_body(head, "hello", Body::complete, 5);
  expect_body(head, "hellonext", Body::complete, 5);
  expect_body(head, "hell", Body::more, 4);
  expect_body("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "next", Body::complete, 0);
}

TEST_CASE("9112 6.3: 204 and 304 have no body whatever their fields say, neither has 101") {
  expect_body("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "next", Body::complete, 0);
  expect_body("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", "next", Body::complete, 0);
  expect_body(kUpgrade, "next", Body::complete, 0);
}

TEST_CASE("9112 6.3: a body without a length lasts until the end") {
  expect_body("HTTP/1.1 500 Oops\r\n\r\n", "anything", Body::more, 8);
}

TEST_CASE("9112 7: a coding that nobody asked for is malformed") {
  for (const char* coding : {"gzip, chunked", "chunked, gzip", "gzip", "identity", "chunked, chunked", ""}) {
    expect_malformed("HTTP/1.1 500 Oops\r\nTransfer-Encoding: " + std::string{coding} + "\r\n\r\n");
  }
  expect_body("HTTP/1.1 500 Oops\r\nTransfer-Encoding: Chunked\r\n\r\n", "0\r\n\r\n", Body::complete, 5);
}

TEST_CASE("9112 7.1: a chunked body ends after its trailer") {
  for (const std::string body : {"5\r\nhello\r\n0\r\n\r\n", "0\r\n\r\n",
                                 "a;name=\"v w\"\r\n0123456789\r\n000\r\nTrailer: x\r\nB:\r\n\r\n",
                                 "1 ;x\r\n\r\r\n0\r\n\r\n", "A\r\n0\r\n\r\n01234\r\n0\r\n\r\n"}) {
    expect_body(kChunked, body + "next", Body::complete, body.size());
    expect_body(kChunked, body.substr(0, body.size() - 1), Body::more, body.size() - 1);
  }
}

TEST_CASE("9112 7.1: a chunked body that breaks its form is malformed") {
  const auto expect_broken_at = [](const std::string& body, std::size_t used) {
    expect_body(kChunked, body, Body::malformed, used);
  };
  expect_broken_at("x\r\n", 1);
  expect_broken_at("-1\r\n", 1);
  expect_broken_at("5\nhello", 2);
  expect_broken_at("5\r\nhello0\r\n", 9);
  expect_broken_at("5\r\nhello\n", 9);
  expect_broken_at("5\rx", 3);
  expect_broken_at("5;a\nb\r\n", 4);
  expect_broken_at("5;a\x7f\r\n", 4);
  expect_broken_at("0\r\nA: b\n\r\n", 8);
  expect_broken_at("0\r\n\n", 4);
  expect_broken_at("0\r\n\rx", 5);
}

TEST_CASE("9112 7.1: a chunk size that overflows is malformed, the largest that fits is not") {
  expect_body(kChunked, "7fffffffffffffff\r\n", Body::more, 18);
  expect_body(kChunked, "8000000000000000\r\n", Body::malformed, 16);
  expect_body(kChunked, "00ffffffffffffffff\r\n", Body::malformed, 17);
}

TEST_CASE("a chunk extension or a trailer line without end is malformed") {
  expect_body(kChunked, "5;" + std::string(9000, 'x'), Body::malformed, 2 + 4096);
  expect_body(kChunked, "0\r\nx" + std::string(20000, 'x'), Body::malformed, 3 + 16384);
}

TEST_CASE("a body is not judged before its head") {
  ResponseHeadReader reader{100};
  std::size_t used = 0;
  CHECK(reader.body({}, used) == Body::malformed);
}

}  // namespace wsproxy::http
