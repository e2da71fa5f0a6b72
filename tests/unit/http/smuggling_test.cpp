// Requests and answers on which two readers could disagree about where they end, whom they are for, or
// what they say. What is refused never becomes an Exchange, so nothing of it can go on.

#include <catch2/catch.hpp>

#include "base/ascii.hpp"
#include "http/forward.hpp"
#include "playing.hpp"
#include "reading.hpp"

namespace wsproxy::http {
namespace {

using namespace std::string_literals;
using test::for_each_request;
using test::for_each_response;

std::string post(const std::string& lines) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n\r\n";
}

std::string to_host(const std::string& host) {
  return "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
}

std::string start(const std::string& line) {
  return line + "\r\nHost: a\r\n\r\n";
}

std::string answer(const std::string& lines) {
  return "HTTP/1.1 200 OK\r\n" + lines + "\r\n\r\n";
}

void expect_refused(const std::vector<std::string>& requests) {
  for (const std::string& request : requests) {
    INFO(request);
    for_each_request(request, [](const auto& outcome) {
      CHECK(outcome.status == HeadStatus::malformed);
      CHECK_FALSE(outcome.problem.empty());
    });
  }
}

void expect_answers_refused(const std::vector<std::string>& answers) {
  for (const std::string& bytes : answers) {
    test::for_each_answer("GET / HTTP/1.1\r\nHost: a\r\n\r\n", bytes, [](test::Played& played) {
      CHECK(played.answer_status == Exchange::Status::malformed);
      CHECK(played.client_got().empty());
    });
  }
}

/// The field as the app sees it.
std::string at_app(const std::string& request, std::string_view name) {
  return test::request_of(forward_request(test::request_of(request), test::plain_facts()))
      .fields.joined(name);
}

}  // namespace

TEST_CASE("9112 6.3: a request with two framings, or two of one, is refused") {
  expect_refused({post("Content-Length: 5\r\nTransfer-Encoding: chunked"),
                  post("Transfer-Encoding: chunked\r\nContent-Length: 0"),
                  post("Content-Length: 5\r\ncontent-length: 5"),
                  post("Content-Length: 5\r\nContent-Length: 6"),
                  post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
                  post("Transfer-Encoding: chunked\r\nTransfer-Encoding: x"),
                  post("Transfer-Encoding: x\r\nTransfer-Encoding: chunked")});
}

TEST_CASE("9110 8.6: a Content-Length is digits, and a number that all can count to") {
  for (const std::string& length : std::vector<std::string>{"",
                                                            " ",
                                                            "-5",
                                                            "+5",
                                                            "5, 5",
                                                            "5,5",
                                                            "5,",
                                                            ",5",
                                                            "5 5",
                                                            "5\t5",
                                                            "0x5",
                                                            "5.0",
                                                            "1e3",
                                                            "\"5\"",
                                                            "5;",
                                                            "\xa0"s + "5",
                                                            "5\xa0",
                                                            "\xd9\xa5",
                                                            "9223372036854775808",
                                                            "18446744073709551615",
                                                            "18446744073709551621",
                                                            "99999999999999999999999999"}) {
    expect_refused({post("Content-Length: " + length)});
    expect_answers_refused({answer("Content-Length: " + length)});
  }
  CHECK(at_app(post("Content-Length: \t5 \t"), "content-length") == "5");
  CHECK(at_app(post("Content-Length: 9223372036854775807"), "content-length") == "9223372036854775807");
  CHECK(BodyFraming::of(test::request_of(post("Content-Length: 010"))).status() == BodyFraming::Status::more);
}

TEST_CASE("9112 6.1: the only transfer coding is chunked, written as that") {
  for (const std::string& coding : std::vector<std::string>{
           "", "xchunked", "chunkedx", "chunked, identity", "identity, chunked", "gzip, chunked",
           "chunked, chunked", "chunked,", ", chunked", ",chunked", "chunked;x=y", "'chunked'", "\"chunked\"",
           "chun ked", "identity", "\xa0"s + "chunked", "chunk\xc4\xb1"s + "d"}) {
    expect_refused({post("Transfer-Encoding: " + coding)});
    expect_answers_refused({answer("Transfer-Encoding: " + coding)});
  }
  expect_refused({"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
                  post("Transfer-Encoding:\x0b"s + "chunked"), post("Transfer-Encoding\x0b: chunked"),
                  post("Transfer-Encoding: chunked\x0c")});
  for (const std::string& coding :
       std::vector<std::string>{"chunked", "Chunked ", "\tCHUNKED\t", "  chunked"}) {
    CHECK(base::iequals(at_app(post("Transfer-Encoding:" + coding), "transfer-encoding"), "chunked"));
  }
  CHECK(at_app(post("TE: chunked"), "te").empty());
}

TEST_CASE("framing that an app behind a CGI-like interface would see is refused") {
  expect_refused({post("Transfer_Encoding: chunked"), post("content_length: 5"),
                  post("Content-Length: 5\r\nContent_Length: 6")});
}

TEST_CASE("9112 2.2 and 5: a request of lines that two readers may cut otherwise is refused") {
  expect_refused({post("A: b\nTransfer-Encoding: chunked"),
                  post("A: b\rTransfer-Encoding: chunked"),
                  post("A: b\r\n Transfer-Encoding: chunked"),
                  post("A: b\r\n\tc"),
                  post(" A: b"),
                  post("\tA: b"),
                  post("A: b\r\n "),
                  post("A: b\r\n\t"),
                  post("A : b"),
                  post("A\t: b"),
                  post(": b"),
                  post(":"),
                  post("A"),
                  post("A b"),
                  post("A b: c"),
                  post("A;b: c"),
                  post("A(b): c"),
                  post("\xc3\xa9: c"),
                  post("A: b\0c"s),
                  post("A\0: b"s),
                  post("\0A: b"s),
                  post("A: b\x7f"),
                  post("A: \x1b[1m"),
                  "POST / HTTP/1.1\r\n Host: a\r\n\r\n",
                  "POST / HTTP/1.1\r\nHost: a\r\n\n",
                  "POST / HTTP/1.1\nHost: a\n\n"});
}

TEST_CASE("9112 3: a request line is method, target and version, one space between them") {
  expect_refused({start("GET  / HTTP/1.1"), start("GET /  HTTP/1.1"), start(" GET / HTTP/1.1"),
                  start(" / HTTP/1.1"), start("GET\t/ HTTP/1.1"), start("GET /\tHTTP/1.1"),
                  start("GET / HTTP/1.1 "), start("GET /"), start("GET:/ HTTP/1.1"),
                  start("GET / HTTP/1.1 x"), start("\xef\xbb\xbfGET / HTTP/1.1")});
}

TEST_CASE("9110 9.1: a method is a token, and its case counts") {
  expect_refused({start("G@T / HTTP/1.1"), start("\"GET\" / HTTP/1.1"), start("G\xc3\xa9T / HTTP/1.1"),
                  start("GET, / HTTP/1.1"), start("G\0T / HTTP/1.1"s)});
  CHECK(test::request_of(start("get / HTTP/1.1")).method == "get");
  CHECK(test::request_of(start("!#$%&'*+-.^_`|~1 / HTTP/1.1")).method == "!#$%&'*+-.^_`|~1");
}

TEST_CASE("9112 2.3: a version other than HTTP/1.0 and HTTP/1.1 is refused, not taken for one of them") {
  for (const std::string& version : std::vector<std::string>{
           "HTTP/2.0", "HTTP/2", "HTTP/1.2", "HTTP/1.9", "HTTP/0.9", "HTTP/3.1", "HTTP/1.10", "HTTP/01.1",
           "HTTP/1.01", "HTTP/11", "HTTP/1,1", "HTTP/+1.1", "http/1.1", "HtTP/1.1", "HTTPS/1.1", "ICY"}) {
    expect_refused({start("GET / " + version)});
    expect_answers_refused({version + " 200 OK\r\n\r\n"});
  }
  expect_refused({"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"});
}

TEST_CASE("9112 3.2: a target that is none of the four forms is refused") {
  for (const std::string& target : std::vector<std::string>{"a",
                                                            "*",
                                                            "?x",
                                                            "#",
                                                            "/a#b",
                                                            "/\xc3\xa9",
                                                            "\\x",
                                                            "http:",
                                                            "http:/a",
                                                            "http://",
                                                            "http:///x",
                                                            "http://?x",
                                                            "http://u:p@a/",
                                                            "http://a\\b/",
                                                            "http://a:99999/",
                                                            "http://a,b/",
                                                            "ftp://a/",
                                                            "file:///etc",
                                                            "javascript:x",
                                                            "a:80",
                                                            "//\x7f"}) {
    expect_refused({start("GET " + target + " HTTP/1.1")});
  }
  expect_refused({start("CONNECT / HTTP/1.1"), start("CONNECT a HTTP/1.1"), start("CONNECT a: HTTP/1.1"),
                  start("OPTIONS ** HTTP/1.1")});
}

TEST_CASE("9112 3.2: a request has one Host, and it is a host") {
  expect_refused({post("Host: a"), post("host: b"), post("HOST:"), "GET / HTTP/1.1\r\n\r\n",
                  "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "GET http://a/ HTTP/1.1\r\n\r\n"});
  for (const std::string& host : std::vector<std::string>{"u@a",
                                                          "a, b",
                                                          "a,b",
                                                          "a b",
                                                          "a/b",
                                                          "a#b",
                                                          "a?b",
                                                          "a\\b",
                                                          "a:80:80",
                                                          "a:8a",
                                                          "a:-1",
                                                          "a:65536",
                                                          ":80",
                                                          "@",
                                                          "\xc3\xa9",
                                                          "<a>",
                                                          "\"a\"",
                                                          "[::1",
                                                          "[::1]]",
                                                          "[::1]x",
                                                          "[]",
                                                          "[x]",
                                                          "[fe80::1%25eth0]"}) {
    expect_refused({to_host(host)});
  }
}

TEST_CASE("9112 3.2.2: of two hosts the one in the target counts, and the app sees no other") {
  const std::string request = "GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n";
  CHECK(at_app(request, "host") == "b");
  CHECK(at_app(request, "x-forwarded-host") == "b");
}

TEST_CASE("9112 4: a status line that is none is refused") {
  expect_answers_refused({"HTTP/1.1  200 OK\r\n\r\n", " HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 2xx OK\r\n\r\n",
                          "HTTP/1.1 +20 OK\r\n\r\n", "HTTP/1.1 000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n",
                          "HTTP/1.1 1000 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 200OK\r\n\r\n",
                          "HTTP/1.1\t200 OK\r\n\r\n", "HTTP/1.1 200 OK\n\n"});
}

TEST_CASE("9112 6.3: an answer with two framings, or two of one, is refused") {
  expect_answers_refused({answer("Content-Length: 5\r\nTransfer-Encoding: chunked"),
                          answer("Transfer-Encoding: chunked\r\nContent-Length: 5"),
                          answer("Content-Length: 5\r\nContent-Length: 5"),
                          answer("Content-Length: 5\r\nContent-Length: 6"),
                          answer("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
                          "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"});
}

TEST_CASE("9112 2.2 and 5: an answer of lines that two readers may cut otherwise is refused") {
  expect_answers_refused({answer("A: b\nC: d"), answer("A: b\rC: d"), answer("A: b\r\n c"), answer(" A: b"),
                          answer("A : b"), answer(": b"), answer("A"), answer("A b: c"), answer("A: b\0c"s),
                          answer("A@: b"), answer("A: b\x7f")});
}

}  // namespace wsproxy::http
