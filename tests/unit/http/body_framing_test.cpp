#include "http/body_framing.hpp"

#include <catch2/catch.hpp>

#include "playing.hpp"

namespace wsproxy::http {
namespace {

using namespace std::string_literals;
using Status = BodyFraming::Status;

BodyFraming of_request(const std::string& line) {
  return BodyFraming::of(test::request_of("POST / HTTP/1.1\r\nHost: a\r\n" + line + "\r\n"));
}

BodyFraming of_answer(const std::string& line, std::string_view method = "GET") {
  return BodyFraming::of(test::answer_of("HTTP/1.1 200 OK\r\n" + line + "\r\n"), method);
}

const std::string kChunked = "Transfer-Encoding: chunked\r\n";

/// What `body` is without its framing, and how it ends.
void expect_content(const std::string& body, const std::string& expected, Status status) {
  wsproxy::test::for_each_split(base::as_bytes(body), [&](const wsproxy::test::Split& split) {
    BodyFraming framing = of_answer(kChunked);
    base::ByteQueue content;
    std::size_t used = 0;
    for (const auto& piece : split.pieces) framing.feed(piece, used, &content);
    CHECK(framing.status() == status);
    CHECK(base::as_text(content.view()) == expected);
    CHECK(framing.content_bytes() == expected.size());
  });
}

}  // namespace

TEST_CASE("9112 6.3: a request without a length has no body, an answer without one lasts until the end") {
  CHECK(of_request("").status() == Status::complete);
  CHECK_FALSE(of_request("").ends_with_connection());
  CHECK(of_answer("").status() == Status::more);
  CHECK(of_answer("").ends_with_connection());
  CHECK(of_answer("", "HEAD").status() == Status::complete);
  CHECK_FALSE(of_answer("", "HEAD").ends_with_connection());
}

TEST_CASE("the framing tells what it is") {
  CHECK(of_request(kChunked).is_chunked());
  CHECK(of_answer(kChunked).is_chunked());
  CHECK_FALSE(of_answer(kChunked, "HEAD").is_chunked());
  CHECK_FALSE(of_answer("Content-Length: 3\r\n").is_chunked());
  CHECK_FALSE(of_answer("Content-Length: 3\r\n").ends_with_connection());
  CHECK(of_request("Content-Length: 0\r\n").status() == Status::complete);
}

TEST_CASE("the content is what is left of a body without its framing") {
  expect_content("5\r\nhello\r\n2;x\r\n\r\n\r\n0\r\nA: b\r\n\r\n", "hello\r\n", Status::complete);
  expect_content("5\r\nhello\r\n5\r\nwo", "hellowo", Status::more);
  expect_content("5\r\nhello\r\nx", "hello", Status::malformed);
}

TEST_CASE("a chunk extension has a limit, and so have all trailers together") {
  const auto feed = [](const std::string& body) {
    BodyFraming framing = of_request(kChunked);
    std::size_t used = 0;
    return framing.feed(base::as_bytes(body), used);
  };
  CHECK(feed("5;" + std::string(4095, 'x')) == Status::more);
  CHECK(feed("5;" + std::string(4096, 'x')) == Status::malformed);
  CHECK(feed("5" + std::string(4097, ' ')) == Status::malformed);
  std::string trailers = "0\r\n";
  while (trailers.size() < 16000) trailers += "A: b\r\n";
  CHECK(feed(trailers + "\r\n") == Status::complete);
  while (trailers.size() < 32000) trailers += "A: b\r\n";
  CHECK(feed(trailers + "\r\n") == Status::malformed);
}

TEST_CASE("9112 7.1: a chunk that two readers may cut otherwise is refused") {
  for (const std::string& chunk : std::vector<std::string>{"5\nhello\r\n",
                                                           "5 \r\nhello\r\n",
                                                           "5\t\r\n",
                                                           " 5\r\nhello\r\n",
                                                           "+5\r\n",
                                                           "-5\r\n",
                                                           "0x5\r\n",
                                                           "5h\r\n",
                                                           "\r\n",
                                                           ";x\r\n",
                                                           "5;x\nhello",
                                                           "5;x\rhello",
                                                           "5;x\r\r\n",
                                                           "5;\0\r\nhello"s,
                                                           "5 x\r\n",
                                                           "5\r\nhello\n",
                                                           "5\r\nhello0\r\n\r\n",
                                                           "5\r\nhello\r0",
                                                           "8000000000000000\r\n",
                                                           "00000000000000005\r\n",
                                                           "0\r\nA\r\n\r\n",
                                                           "0\r\nA : b\r\n\r\n",
                                                           "0\r\n A: b\r\n\r\n",
                                                           "0\r\n: b\r\n\r\n",
                                                           "0\r\nA: b\r\n c\r\n\r\n",
                                                           "0\r\nA: b\n\r\n",
                                                           "0\r\nA: b\rC: d\r\n\r\n",
                                                           "0\r\nA: \0\r\n\r\n"s,
                                                           "0\r\nTransfer-Encoding: chunked\r\n\r\n",
                                                           "0\r\ncontent-length: 5\r\n\r\n",
                                                           "0\r\nHost: b\r\n\r\n",
                                                           "0\r\nConnection: x\r\n\r\n",
                                                           "0\r\nUpgrade: x\r\n\r\n",
                                                           "0\r\nForwarded: for=x\r\n\r\n",
                                                           "0\r\nX_Forwarded_For: x\r\n\r\n"}) {
    test::for_each_body(
        "POST / HTTP/1.1\r\nHost: a\r\n" + kChunked + "\r\n", chunk,
        [](test::Played& played) { CHECK(played.request_status == Exchange::Status::malformed); });
  }
}

}  // namespace wsproxy::http
