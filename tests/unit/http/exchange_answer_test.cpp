#include <catch2/catch.hpp>

#include "playing.hpp"

namespace wsproxy::http {
namespace {

using Status = Exchange::Status;
using test::for_each_answer;
using test::Played;

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kHead = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kOldGet = "GET / HTTP/1.0\r\nHost: a\r\n\r\n";
const std::string kOldKept = "GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n";
const std::string kPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
const std::string kSized = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const std::string kChunks = "5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nExpires: never\r\n\r\n";
const std::string kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Expires\r\n\r\n" + kChunks;

/// The answer is over after `answer`, the client has got `expected`, and the next bytes are not touched.
void expect_answer(const std::string& request, const std::string& answer, const std::string& expected) {
  for_each_answer(request, answer + "HTTP/1.1 200 next", [&](Played& played) {
    CHECK(played.answer_status == Status::complete);
    CHECK(played.exchange.answer_has_begun());
    CHECK(played.exchange.answer_is_complete());
    CHECK(played.app_used == answer.size());
    CHECK(played.client_got() == expected);
    CHECK_FALSE(played.exchange.cut_needs_reset());
  });
}

void expect_malformed(const std::string& request, const std::string& answer, const std::string& problem,
                      const std::string& passed) {
  for_each_answer(request, answer, [&](Played& played) {
    CHECK(played.answer_status == Status::malformed);
    CHECK(played.exchange.problem() == problem);
    CHECK(played.client_got() == passed);
    CHECK(played.exchange.answer_has_begun() == !passed.empty());
    CHECK_FALSE(played.exchange.client_persists());
    CHECK_FALSE(played.exchange.app_persists());
    CHECK(played.app_says(kSized) == Status::malformed);
    CHECK(played.exchange.app_ended() == Status::malformed);
    CHECK(played.client_got() == passed);
  });
}

bool client_persists(const std::string& request, const std::string& answer) {
  Played played{request};
  REQUIRE(played.app_says(answer) == Status::complete);
  return played.exchange.client_persists();
}

bool app_persists(const std::string& answer) {
  Played played{kGet};
  REQUIRE(played.app_says(answer) == Status::complete);
  return played.exchange.app_persists();
}

}  // namespace

TEST_CASE("9112 6.3: a sized answer goes on as it is and is over at its length") {
  expect_answer(kGet, kSized, kSized);
  for_each_answer(kGet, kSized, [](Played& played) {
    CHECK(played.exchange.status() == 200);
    CHECK(played.exchange.answer_body_bytes() == 5);
    CHECK(played.exchange.client_persists());
    CHECK(played.exchange.app_persists());
  });
}

TEST_CASE("9112 7.1: a chunked answer goes on with its framing and trailers") {
  expect_answer(kGet, kChunked, kChunked);
}

TEST_CASE("9112 7.1: for HTTP/1.0 the chunks are undone, and the end of the connection ends the answer") {
  const std::string expected = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello!";
  expect_answer(kOldGet, kChunked, expected);
  expect_answer(kOldKept, kChunked, expected);
  CHECK_FALSE(client_persists(kOldKept, kChunked));
  for_each_answer(kOldGet, kChunked.substr(0, kChunked.size() - 1), [](Played& played) {
    CHECK(played.answer_status == Status::more);
    CHECK(played.exchange.cut_needs_reset());
    CHECK(played.exchange.answer_body_bytes() == 6);
  });
}

TEST_CASE("9112 6.3: answers without a body are over with their head") {
  expect_answer(kHead, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  expect_answer(kHead, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n");
  expect_answer(kHead, "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n");
  expect_answer("HEAD / HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  expect_answer(kGet, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
                "HTTP/1.1 204 No Content\r\n\r\n");
  expect_answer(kGet, "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
                "HTTP/1.1 204 No Content\r\n\r\n");
  expect_answer(kGet, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
                "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n");
  expect_answer(kGet, "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
                "HTTP/1.1 304 Not Modified\r\n\r\n");
}

TEST_CASE("9112 6.3: an answer without a length lasts until the app's connection ends") {
  for_each_answer(kGet, "HTTP/1.0 200 OK\r\n\r\nhello", [](Played& played) {
    CHECK(played.answer_status == Status::more);
    CHECK(played.exchange.cut_needs_reset());
    CHECK(played.exchange.app_ended() == Status::complete);
    CHECK(played.client_got() == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
    CHECK_FALSE(played.exchange.client_persists());
    CHECK_FALSE(played.exchange.app_persists());
    CHECK_FALSE(played.exchange.cut_needs_reset());
    CHECK(played.app_says("more") == Status::complete);
    CHECK(played.client_got().ends_with("hello"));
  });
}

TEST_CASE("an app that ends its connection ahead of the end has cut the answer") {
  const auto problem_after = [](const std::string& answer) {
    std::string problem;
    for_each_answer(kGet, answer, [&](Played& played) {
      CHECK(played.answer_status == Status::more);
      CHECK(played.exchange.app_ended() == Status::malformed);
      CHECK_FALSE(played.exchange.answer_is_complete());
      problem = played.exchange.problem();
    });
    return problem;
  };
  CHECK(problem_after("") == "no answer");
  CHECK(problem_after("HTTP/1.1 200 OK\r\n") == "the answer's head was cut");
  CHECK(problem_after("HTTP/1.1 100 Continue\r\n\r\n") == "the answer's head was cut");
  CHECK(problem_after("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell") == "the answer was cut");
  CHECK(problem_after(kChunked.substr(0, kChunked.size() - 2)) == "the answer was cut");

  Played played{kGet};
  played.app_says(kSized);
  CHECK(played.exchange.app_ended() == Status::complete);
}

TEST_CASE("9110 15.2: interim answers go on to HTTP/1.1 one by one, and not to HTTP/1.0") {
  const std::string interim =
      "HTTP/1.1 100 Continue\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n"
      "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nContent-Length: 3\r\n\r\nHTTP/1.1 102 \r\n\r\n";
  const std::string passed =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 102 \r\n\r\n";
  expect_answer(kGet, interim + kSized, passed + kSized);
  expect_answer(kOldKept, interim + kSized,
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello");
  for_each_answer(kGet, interim, [&](Played& played) {
    CHECK(played.answer_status == Status::more);
    CHECK(played.client_got() == passed);
    CHECK_FALSE(played.exchange.answer_has_begun());
    CHECK(played.exchange.status() == 0);
    CHECK(played.exchange.app_has_spoken());
  });
}

TEST_CASE("an app may send any number of interim answers: the limit is for each head") {
  std::string interim;
  for (int i = 0; i < 20; ++i) interim += "HTTP/1.1 102 Processing\r\n\r\n";
  for_each_answer(kGet, interim + kSized,
                  [&](Played& played) { CHECK(played.client_got() == interim + kSized); }, {100});
}

TEST_CASE("an answer's head that is malformed, too large or an upgrade does not go on") {
  expect_malformed(kGet, "SSH-2.0-OpenSSH\r\n\r\n", "bad version", "");
  expect_malformed(kGet, "HTTP/1.1 200 OK\r\nA: b\n\r\n", "a line ends with LF alone", "");
  expect_malformed(kGet, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
                   "more than one Content-Length", "");
  expect_malformed(kGet, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
                   "an upgrade that nobody asked for", "");
  expect_malformed(kGet, "HTTP/1.1 200 OK\r\nA: " + std::string(1000, 'x') + "\r\n\r\n",
                   "the head is over the size limit", "");
}

TEST_CASE("9112 7.1: of a malformed chunk of the answer nothing goes on") {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  expect_malformed(kGet, head + "5\r\nhello\r\n5\nworld", "a malformed chunk in the answer",
                   head + "5\r\nhello\r\n5");
  expect_malformed(kOldGet, head + "5\r\nhello\r\n5\nworld", "a malformed chunk in the answer",
                   "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
  Played played{kOldGet};
  played.app_says(head + "5\r\nhello\r\n5\nworld");
  CHECK(played.exchange.cut_needs_reset());
}

TEST_CASE("9112 9.3: the client's connection persists if both sides can go on with it") {
  CHECK(client_persists(kGet, kSized));
  CHECK(client_persists(kOldKept, kSized));
  CHECK_FALSE(client_persists(kOldGet, kSized));
  CHECK_FALSE(client_persists("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", kSized));
  CHECK_FALSE(client_persists("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", kSized));
  // What the app wants of its own connection is no matter.
  CHECK(client_persists(kGet, "HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
}

TEST_CASE("9112 9.6: the answer says what becomes of the client's connection") {
  const std::string closing = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
  expect_answer("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", kSized, closing);
  expect_answer(kOldGet, kSized, closing);
  expect_answer(kOldKept, kSized,
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello");
  for_each_answer(kGet, kSized,
                  [&](Played& played) {
                    CHECK(played.client_got() == closing);
                    CHECK_FALSE(played.exchange.client_persists());
                    CHECK(played.exchange.app_persists());
                  },
                  {1000, true});
}

TEST_CASE("a drain closes after the answer, and the answer says so if it can") {
  Played early{kGet};
  early.exchange.close_after_answer();
  early.app_says(kSized);
  CHECK(early.client_got() == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
  CHECK_FALSE(early.exchange.client_persists());

  Played late{kGet};
  late.app_says(kSized.substr(0, kSized.size() - 1));
  late.exchange.close_after_answer();
  CHECK(late.app_says("o") == Status::complete);
  CHECK(late.client_got() == kSized);
  CHECK_FALSE(late.exchange.client_persists());
}

TEST_CASE("9112 9.3: the app's connection persists if the app says so, and nothing of the request is due") {
  CHECK(app_persists(kSized));
  CHECK(app_persists("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n"));
  CHECK_FALSE(app_persists("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
  CHECK_FALSE(app_persists("HTTP/1.1 200 OK\r\nConnection: a,CLOSE\r\nContent-Length: 0\r\n\r\n"));
  CHECK_FALSE(app_persists("HTTP/1.1 204 OK\r\nConnection: keep-alive\r\nconnection: close\r\n\r\n"));
}

TEST_CASE("9110 10.1.1: an answer ahead of the request's end closes both connections") {
  Played played{kPost};
  played.client_says("he");
  CHECK(played.app_says(kSized) == Status::complete);
  CHECK(played.client_got() == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
  CHECK_FALSE(played.exchange.client_persists());
  CHECK_FALSE(played.exchange.app_persists());
  // The rest of the request still goes where it belongs.
  CHECK(played.client_says("llo") == Status::complete);
  CHECK(played.app_got() == "hello");
  CHECK_FALSE(played.exchange.client_persists());
  CHECK_FALSE(played.exchange.app_persists());
}

TEST_CASE("an interim answer ahead of the request's end closes nothing") {
  Played played{kPost};
  played.app_says("HTTP/1.1 100 Continue\r\n\r\n");
  played.client_says("hello");
  CHECK(played.app_says(kSized) == Status::complete);
  CHECK(played.client_got() == "HTTP/1.1 100 Continue\r\n\r\n" + kSized);
  CHECK(played.exchange.client_persists());
  CHECK(played.exchange.app_persists());
}

TEST_CASE("nothing needs a reset that the client can tell from a whole answer") {
  Played played{kGet};
  CHECK_FALSE(played.exchange.cut_needs_reset());
  played.app_says(kSized.substr(0, kSized.size() - 1));
  CHECK_FALSE(played.exchange.cut_needs_reset());
  Played chunked{kGet};
  chunked.app_says(kChunked.substr(0, kChunked.size() - 1));
  CHECK_FALSE(chunked.exchange.cut_needs_reset());
}

}  // namespace wsproxy::http
