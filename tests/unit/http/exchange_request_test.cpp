#include <catch2/catch.hpp>

#include "playing.hpp"

namespace wsproxy::http {
namespace {

using Status = Exchange::Status;
using test::for_each_body;
using test::Played;

const std::string kSized = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
const std::string kChunked = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace

TEST_CASE("9112 6.3: a request without a length is complete at once, and takes nothing of the next") {
  for_each_body("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /next", [](Played& played) {
    CHECK(played.request_status == Status::complete);
    CHECK(played.exchange.request_is_complete());
    CHECK(played.client_used == 0);
    CHECK(played.app_got().empty());
  });
  CHECK(Played{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"}.exchange.request_is_complete());
}

TEST_CASE("9112 6.3: a sized body goes on as it is, and what is behind it stays") {
  for_each_body(kSized, "helloGET /next", [](Played& played) {
    CHECK(played.request_status == Status::complete);
    CHECK(played.client_used == 5);
    CHECK(played.app_got() == "hello");
    CHECK(played.exchange.request_body_bytes() == 5);
  });
  for_each_body(kSized, "hell", [](Played& played) {
    CHECK(played.request_status == Status::more);
    CHECK_FALSE(played.exchange.request_is_complete());
    CHECK(played.app_got() == "hell");
  });
}

TEST_CASE("9112 7.1: a chunked body goes on with its framing, extensions and trailers") {
  const std::string body = "5;a=\"b;c\"\r\nhello\r\n1 ;x\r\n!\r\n0\r\nExpires: never\r\nX-Sum:\r\n\r\n";
  for_each_body(kChunked, body + "GET /next", [&](Played& played) {
    CHECK(played.request_status == Status::complete);
    CHECK(played.client_used == body.size());
    CHECK(played.app_got() == body);
    CHECK(played.exchange.request_body_bytes() == 6);
  });
}

TEST_CASE("9112 7.1: of a malformed chunk nothing goes on, nor of anything behind it") {
  const auto expect = [](const std::string& body, const std::string& passed) {
    for_each_body(kChunked, body, [&](Played& played) {
      CHECK(played.request_status == Status::malformed);
      CHECK(played.app_got() == passed);
      CHECK(played.client_used == passed.size() + 1);
      CHECK(played.exchange.problem() == "a malformed chunk in the request");
      CHECK(played.client_says("0\r\n\r\n") == Status::malformed);
      CHECK(played.app_got() == passed);
    });
  };
  expect("x\r\n", "");
  expect("5\r\nhelloGET / HTTP/1.1\r\n\r\n", "5\r\nhello");
  expect("5\r\nhello\r\n-1\r\n", "5\r\nhello\r\n");
  expect("0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n", "0\r\nX-Forwarded-For");
}

TEST_CASE("9110 9.2.2: only what may come twice, has no body and was not answered can be repeated") {
  const auto may = [](const std::string& method, const std::string& line) {
    return Played{method + " / HTTP/1.1\r\nHost: a\r\n" + line + "\r\n"}.exchange.may_be_repeated();
  };
  for (const char* method : {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"}) {
    INFO(method);
    CHECK(may(method, ""));
    CHECK(may(method, "Content-Length: 0\r\n"));
    CHECK_FALSE(may(method, "Content-Length: 1\r\n"));
    CHECK_FALSE(may(method, "Transfer-Encoding: chunked\r\n"));
  }
  for (const char* method : {"POST", "PATCH", "get", "FOO"}) CHECK_FALSE(may(method, ""));

  Played played{"GET / HTTP/1.1\r\nHost: a\r\n\r\n"};
  CHECK_FALSE(played.exchange.app_has_spoken());
  played.app_says("H");
  CHECK(played.exchange.app_has_spoken());
  CHECK_FALSE(played.exchange.may_be_repeated());
}

TEST_CASE("a request whose body has gone on is not repeated") {
  Played played{"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"};
  played.client_says("x");
  CHECK(played.exchange.request_is_complete());
  CHECK_FALSE(played.exchange.may_be_repeated());
}

}  // namespace wsproxy::http
