#include "http/request_head.hpp"

#include <catch2/catch.hpp>

#include "reading.hpp"

namespace wsproxy::http {
namespace {

using namespace std::string_literals;
using test::for_each_request;

void expect_malformed(const std::string& bytes, const std::string& problem) {
  INFO("request: " << bytes);
  for_each_request(bytes, [&](const auto& outcome) {
    CHECK(outcome.status == HeadStatus::malformed);
    CHECK(outcome.problem == problem);
  });
}

void expect_complete(const std::string& bytes) {
  INFO("request: " << bytes);
  for_each_request(bytes, [&](const auto& outcome) {
    CHECK(outcome.status == HeadStatus::complete);
    CHECK(outcome.problem.empty());
  });
}

std::string with_line(const std::string& line) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + line + "\r\n\r\n";
}

}  // namespace

TEST_CASE("a request head is read with its fields in order, case and duplicates kept, values trimmed") {
  const std::string head =
      "GET /chat?room=1 HTTP/1.1\r\nHost: example.org\r\ncOOKIE: a=1\r\nX-Empty:\r\nCookie:\t b=2; c=\"d e\" "
      "\t\r\n\r\n";
  for_each_request(head + "next", [](const auto& outcome) {
    REQUIRE(outcome.status == HeadStatus::complete);
    CHECK(outcome.head.method == "GET");
    CHECK(outcome.head.target == "/chat?room=1");
    CHECK(outcome.head.version_minor == 1);
    const std::vector<Field> expected = {
        {"Host", "example.org"}, {"cOOKIE", "a=1"}, {"X-Empty", ""}, {"Cookie", "b=2; c=\"d e\""}};
    CHECK(outcome.head.fields.all() == expected);
    CHECK(outcome.rest == "next");
  });
}

TEST_CASE("what was used is added to what the caller counts") {
  RequestHeadReader reader{1000};
  const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  std::size_t used = 0;
  CHECK(reader.feed(base::as_bytes(bytes.substr(0, 10)), used) == HeadStatus::need_more);
  CHECK(used == 10);
  CHECK(reader.feed(base::as_bytes(bytes).subspan(used), used) == HeadStatus::complete);
  CHECK(used == bytes.size());
}

TEST_CASE("9112 2.3: HTTP/1.0 is read, what is no HTTP/1 is not") {
  for_each_request("GET / HTTP/1.0\r\n\r\n", [](const auto& outcome) {
    CHECK(outcome.status == HeadStatus::complete);
    CHECK(outcome.head.version_minor == 0);
  });
  for (const std::string version :
       {"HTTP/2.0", "HTTP/1.2", "http/1.1", "HTTP/1", "HTTP/1.1 ", " HTTP/1.1", "HTCPCP/1.0"}) {
    for_each_request("GET / " + version + "\r\nHost: a\r\n\r\n",
                     [](const auto& outcome) { CHECK(outcome.status == HeadStatus::malformed); });
  }
}

TEST_CASE("9112 2.2: empty lines before the first line are ignored") {
  expect_complete("\r\n" + with_line("A: b"));
  expect_complete("\r\n\r\n\r\n" + with_line("A: b"));
  for_each_request("\r\n\r\n", [](const auto& outcome) { CHECK(outcome.status == HeadStatus::need_more); });
}

TEST_CASE("9112 2.2: LF alone does not end a line") {
  expect_malformed("GET / HTTP/1.1\nHost: a\n\n", "a line ends with LF alone");
  expect_malformed(with_line("A: b\nEvil: c"), "a line ends with LF alone");
  expect_malformed("GET / HTTP/1.1\r\nHost: a\r\n\n", "a line ends with LF alone");
  expect_malformed("\nGET / HTTP/1.1\r\n", "a line ends with LF alone");
}

TEST_CASE("9112 2.2: CR without LF is refused") {
  expect_malformed(with_line("A: b\rEvil: c"), "a CR stands without its LF");
  expect_malformed(with_line("A: b\r\r\n"), "a CR stands without its LF");
  expect_malformed("\rGET / HTTP/1.1\r\n", "a CR stands without its LF");
}

TEST_CASE("9110 5.5: NUL and other control characters are refused wherever they stand") {
  for (int code = 0; code < 0x80; ++code) {
    const char c = static_cast<char>(code);
    if (c == '\t' || c == '\r' || c == '\n' || (code >= 0x20 && code != 0x7f)) continue;
    expect_malformed(with_line("A: b"s + c + "c"), "a control character");
    expect_malformed(with_line("A"s + c + ": b"), "a control character");
    expect_malformed("GET /"s + c + " HTTP/1.1\r\nHost: a\r\n\r\n", "a control character");
  }
}

TEST_CASE("9110 5.5: tab and bytes above ASCII may stand in a value") {
  for_each_request(with_line("A: b\tc \xC3\xA9"), [](const auto& outcome) {
    CHECK(outcome.status == HeadStatus::complete);
    CHECK(outcome.head.fields.first("a") == "b\tc \xC3\xA9");
  });
}

TEST_CASE("9112 5.2: a folded header line is refused") {
  expect_malformed(with_line("A: b\r\n c"), "a folded header line");
  expect_malformed(with_line("A: b\r\n\tc"), "a folded header line");
  expect_malformed("GET / HTTP/1.1\r\n Host: a\r\n\r\n", "a folded header line");
}

TEST_CASE("9112 5.1: nothing stands between a header's name and its colon") {
  expect_malformed(with_line("A : b"), "white space before the colon of a header line");
  expect_malformed(with_line("A\t: b"), "white space before the colon of a header line");
  expect_malformed(with_line("A b: c"), "a header name that is no token");
  expect_malformed(with_line(": c"), "a header name that is no token");
  expect_malformed(with_line("\"a\": c"), "a header name that is no token");
  expect_malformed(with_line("\xC3\xA9: c"), "a header name that is no token");
  expect_malformed(with_line("no colon"), "a header line without a colon");
}

TEST_CASE("9112 3: the first line is method, target and version with one space between") {
  for (const std::string line : {"GET  / HTTP/1.1", "GET /  HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.1 ",
                                 "GET /", "GET", "G(T / HTTP/1.1", "/ HTTP/1.1", "GET / x HTTP/1.1"}) {
    for_each_request(line + "\r\nHost: a\r\n\r\n",
                     [](const auto& outcome) { CHECK(outcome.status == HeadStatus::malformed); });
  }
  expect_malformed("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "a tab in the first line");
}

TEST_CASE("9112 3.2: a request has one Host, which is a host") {
  expect_malformed("GET / HTTP/1.1\r\n\r\n", "no Host");
  expect_malformed("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "more than one Host");
  expect_malformed("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "more than one Host");
  expect_complete("GET / HTTP/1.1\r\nHost:\r\n\r\n");
  for (const std::string host :
       {"a b", "a/b", "u@a", "a,b", "a:x", "a:70000", "[::1", "[]", "[x]", "a:1:2", ":80"}) {
    expect_malformed("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", "a Host that is no host");
  }
  for (const std::string host :
       {"a", "a.example:8009", "127.0.0.1:1", "[::1]", "[fe80::1]:8009", "my_app", "a:"}) {
    expect_complete("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  }
}

TEST_CASE("9112 3.2: the target has a form that its method allows") {
  const std::string rest = " HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const std::string start : {"GET a", "GET *", "GET #", "GET /#a", "GET ftp://a/", "GET http:///",
                                  "GET a:80", "GET http://u@a/", "CONNECT /", "CONNECT a", "GET /\xC3\xA9"}) {
    for_each_request(start + rest, [&](const auto& outcome) {
      INFO(start);
      CHECK(outcome.status == HeadStatus::malformed);
    });
  }
  for (const std::string start : {"GET /", "GET /?a={b|c}&d=%20", "GET http://a/b", "GET ws://a:80?x",
                                  "OPTIONS *", "CONNECT a:443", "POST //a/../b"}) {
    expect_complete(start + rest);
  }
}

TEST_CASE("9112 6: there is one framing, and it leaves no doubt") {
  for (const std::string line :
       {"Content-Length: 1\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 1",
        "Content-Length: 1\r\nContent-Length: 1", "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: 1, 1", "Content-Length: +1", "Content-Length: -1", "Content-Length: 0x1",
        "Content-Length:", "Content-Length: 18446744073709551616",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: xchunked", "Transfer-Encoding: identity", "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding:"}) {
    for_each_request(with_line(line), [&](const auto& outcome) {
      INFO(line);
      CHECK(outcome.status == HeadStatus::malformed);
    });
  }
  for_each_request("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
                   [](const auto& outcome) { CHECK(outcome.status == HeadStatus::malformed); });
  expect_complete(with_line("Content-Length: 5"));
  expect_complete(with_line("Transfer-Encoding: Chunked"));
}

TEST_CASE("a head of just the limit is read, one byte more is too large") {
  const std::string head = with_line("A: b");
  for_each_request(
      head + "rest", [](const auto& outcome) { CHECK(outcome.status == HeadStatus::complete); }, head.size());
  for_each_request(
      head, [](const auto& outcome) { CHECK(outcome.status == HeadStatus::too_large); }, head.size() - 1);
}

TEST_CASE("a head without an end is too large as soon as it is over the limit") {
  RequestHeadReader reader{100};
  const std::string bytes(100, 'a');
  std::size_t used = 0;
  CHECK(reader.feed(base::as_bytes(bytes), used) == HeadStatus::need_more);
  CHECK(reader.feed(base::as_bytes("a"), used) == HeadStatus::too_large);
  CHECK(reader.problem() == "the head is over the size limit");
  CHECK(reader.feed(base::as_bytes("\r\n\r\n"), used) == HeadStatus::too_large);
  for_each_request(
      std::string(1000, '\n'), [](const auto& outcome) { CHECK(outcome.status == HeadStatus::malformed); },
      100);
}

TEST_CASE("empty lines before the head count against the limit") {
  std::string bytes;
  for (int i = 0; i < 60; ++i) bytes += "\r\n";
  for_each_request(
      bytes, [](const auto& outcome) { CHECK(outcome.status == HeadStatus::too_large); }, 100);
}

}  // namespace wsproxy::http
