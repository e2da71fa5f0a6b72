#include "http/forward.hpp"

#include <catch2/catch.hpp>

#include "playing.hpp"

namespace wsproxy::http {
namespace {

using test::answer_of;
using test::plain_facts;
using test::request_of;

const std::string kFacts =
    "X-Forwarded-For: 192.0.2.7\r\n"
    "X-Forwarded-Proto: http\r\n"
    "X-Forwarded-Host: a:80\r\n"
    "X-Forwarded-Port: 8009\r\n"
    "Forwarded: for=192.0.2.7;host=\"a:80\";proto=http\r\n"
    "X-Request-Id: fresh\r\n\r\n";

/// What the app gets, read again: so nothing that is written can be malformed.
RequestHead forwarded(const std::string& line, const std::string& first_line = "POST /x HTTP/1.1") {
  return request_of(
      forward_request(request_of(first_line + "\r\nHost: a:80\r\n" + line + "\r\n"), plain_facts()));
}

std::string answered(const std::string& bytes, const AnswerTerms& terms = {}) {
  return forward_answer(answer_of(bytes), terms);
}

AnswerTerms closing() {
  AnswerTerms terms;
  terms.client_persists = false;
  return terms;
}

AnswerTerms keeping_chunks() {
  AnswerTerms terms;
  terms.keeps_chunks = true;
  return terms;
}

}  // namespace

TEST_CASE("everything end to end goes on in its order, with duplicates and case") {
  const std::string fields =
      "uSER-agent: x/1\r\nCookie: a=1\r\ncookie: b=2\r\nAccept:\r\nExpect: 100-continue\r\nTraceparent: "
      "00-1-2-3\r\n"
      "Content-Length: 5\r\nContent-Type: text/plain; charset=\"utf-8\"\r\nIf-None-Match: W/\"1\"\r\n"
      "X_Own: \xC3\xA9\r\nAuthorization: Basic x\r\n";
  CHECK(forward_request(request_of("PUT /p?q=1&r HTTP/1.1\r\nHost: a:80\r\n" + fields + "\r\n"),
                        plain_facts()) == "PUT /p?q=1&r HTTP/1.1\r\nHost: a:80\r\n" + fields + kFacts);
}

TEST_CASE("9110 7.6.1: hop-by-hop fields of a request end here") {
  const RequestHead app = forwarded(
      "Connection: close, X-Hop ,,x-other\r\nX-Hop: 1\r\nX-OTHER: 2\r\nx-hop: 3\r\nX-Stays: 4\r\nKeep-Alive: "
      "5\r\n"
      "Proxy-Connection: close\r\nTE: trailers\r\nTrailer: Expires\r\nUpgrade: h2c\r\nConnection: "
      "HTTP2-Settings\r\n"
      "HTTP2-Settings: x\r\n");
  for (const char* name : {"Connection", "X-Hop", "X-Other", "Keep-Alive", "Proxy-Connection", "TE",
                           "Upgrade", "HTTP2-Settings"}) {
    INFO(name);
    CHECK(app.fields.count(name) == 0);
  }
  CHECK(app.fields.first("x-stays") == "4");
  CHECK(app.fields.first("trailer") == "Expires");
}

TEST_CASE("9112 6.1 and 6.5: a chunked request says so at the same place, and which trailers come") {
  const std::string fields = "A: 1\r\nTransfer-encoding: Chunked\r\nB: 2\r\ntrailer: Expires\r\nC: 3\r\n";
  CHECK(forward_request(request_of("POST / HTTP/1.1\r\nHost: a:80\r\nConnection: transfer-encoding\r\n" +
                                   fields + "\r\n"),
                        plain_facts()) == "POST / HTTP/1.1\r\nHost: a:80\r\n" + fields + kFacts);
}

TEST_CASE("9110 7.6.1: Connection cannot name away what is for everyone on the way") {
  for (const std::string name :
       {"Content-Length", "Content-Type", "Content-Encoding", "Authorization", "Cookie", "Cache-Control",
        "Expect", "Origin", "Sec-Fetch-Site", "X-Real-IP", "traceparent", "tracestate", "Max-Forwards"}) {
    INFO(name);
    CHECK(forwarded("Connection: " + name + "\r\n" + name + ": 5\r\n").fields.first(name) == "5");
  }
  const RequestHead app = forwarded(
      "Connection: Host, Forwarded, X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, X-Forwarded-Port, "
      "X-Request-Id\r\n");
  CHECK(app.fields.first("host") == "a:80");
  CHECK(app.fields.first("x-forwarded-for") == "192.0.2.7");
  CHECK(app.fields.all().size() == 7);
}

TEST_CASE("9112 3.2: HTTP/1.0 without a Host gets that of the app, and no host is told") {
  const RequestHead app =
      request_of(forward_request(request_of("GET /x HTTP/1.0\r\nA: b\r\n\r\n"), plain_facts()));
  CHECK(app.version_minor == 1);
  CHECK(app.fields.all().front() == Field{"Host", "app:8008"});
  CHECK(app.fields.count("x-forwarded-host") == 0);
  CHECK(app.fields.first("forwarded") == "for=192.0.2.7;proto=http");
}

TEST_CASE("9112 3.2: an empty Host stays empty") {
  const RequestHead app =
      request_of(forward_request(request_of("GET /x HTTP/1.1\r\nHost:\r\n\r\n"), plain_facts()));
  CHECK(app.fields.count("host") == 1);
  CHECK(app.fields.first("host").empty());
}

TEST_CASE("9112 3.2.2: the host of a whole URL takes the place of the Host") {
  const RequestHead app = forwarded("A: b\r\n", "GET http://b.example:81/x?y HTTP/1.1");
  CHECK(app.target == "/x?y");
  CHECK(app.fields.joined("host") == "b.example:81");
  CHECK(app.fields.first("x-forwarded-host") == "b.example:81");
}

TEST_CASE("headers.upstream.host: the app sees its own host, and the client's beside it") {
  ForwardedFacts facts = plain_facts();
  facts.upstream_host = "app.internal";
  for (const std::string head : {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a/ HTTP/1.0\r\n\r\n"}) {
    const RequestHead app = request_of(forward_request(request_of(head), facts));
    CHECK(app.fields.joined("host") == "app.internal");
    CHECK(app.fields.joined("x-forwarded-host") == "a");
    CHECK(app.fields.first("forwarded") == "for=192.0.2.7;host=a;proto=http");
  }
}

TEST_CASE("9110 7.6.2: Max-Forwards is counted down for OPTIONS and TRACE") {
  const auto after = [](const std::string& method, const std::string& line) {
    return forwarded(line + "\r\n", method + " / HTTP/1.1").fields.joined("max-forwards");
  };
  CHECK(after("OPTIONS", "Max-Forwards: 10") == "9");
  CHECK(after("TRACE", "max-forwards: 1") == "0");
  CHECK(after("OPTIONS", "Max-Forwards: 0") == "0");
  CHECK(after("GET", "Max-Forwards: 10") == "10");
  CHECK(after("TRACE", "Max-Forwards: ten") == "0");

  const auto left = [](const std::string& method, const std::string& line) {
    return forwards_left(request_of(method + " / HTTP/1.1\r\nHost: a\r\n" + line + "\r\n\r\n"));
  };
  CHECK(left("OPTIONS", "Max-Forwards: 0") == 0);
  CHECK(left("TRACE", "Max-Forwards: 3") == 3);
  CHECK_FALSE(left("GET", "Max-Forwards: 0"));
  CHECK_FALSE(left("TRACE", "A: b"));
  CHECK(left("TRACE", "Max-Forwards: -1") == 0);
  CHECK(left("TRACE", "Max-Forwards: 1\r\nMax-Forwards: 1") == 0);
}

TEST_CASE("9112 4: the answer keeps its status, reason and fields, in HTTP/1.1") {
  const std::string fields =
      "Server: app\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\nDate: now\r\nVary:\r\n";
  CHECK(answered("HTTP/1.0 299 Rather fine\r\n" + fields + "\r\n") ==
        "HTTP/1.1 299 Rather fine\r\n" + fields + "\r\n");
  CHECK(answered("HTTP/1.1 404 \r\n\r\n") == "HTTP/1.1 404 \r\n\r\n");
}

TEST_CASE("9110 7.6.1: hop-by-hop fields of an answer end here") {
  CHECK(answered("HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop, Set-Cookie\r\nKeep-Alive: timeout=5\r\n"
                 "X-Hop: 1\r\nSet-Cookie: a\r\nUpgrade: h2\r\nProxy-Connection: x\r\nTE: x\r\nTrailer: y\r\n"
                 "A: b\r\n\r\n") == "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nA: b\r\n\r\n");
}

TEST_CASE("9112 9.3 and 9.6: Connection tells of the client's own connection") {
  CHECK(answered("HTTP/1.1 200 OK\r\nA: b\r\n\r\n", closing()) ==
        "HTTP/1.1 200 OK\r\nA: b\r\nConnection: close\r\n\r\n");
  AnswerTerms old;
  old.version_minor = 0;
  CHECK(answered("HTTP/1.1 200 OK\r\n\r\n", old) == "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n");
  CHECK(answered("HTTP/1.1 103 Early\r\n\r\n", closing()) == "HTTP/1.1 103 Early\r\n\r\n");
}

TEST_CASE("9112 6.1: what tells of chunks stays with them") {
  const std::string fields = "A: 1\r\nTransfer-Encoding: chunked\r\nTrailer: B\r\nC: 2\r\n";
  const auto of_status = [&](const std::string& status, const AnswerTerms& terms) {
    return answered("HTTP/1.1 " + status + " X\r\n" + fields + "\r\n", terms);
  };
  CHECK(of_status("200", keeping_chunks()) == "HTTP/1.1 200 X\r\n" + fields + "\r\n");
  CHECK(of_status("200", {}) == "HTTP/1.1 200 X\r\nA: 1\r\nC: 2\r\n\r\n");
  for (const std::string status : {"103", "204", "304"}) {
    CHECK(of_status(status, keeping_chunks()) ==
          "HTTP/1.1 " + status + " X\r\nA: 1\r\nTrailer: B\r\nC: 2\r\n\r\n");
  }
}

TEST_CASE("9110 8.6: there is no Content-Length in 1xx and 204") {
  for (const std::string status : {"100", "204"}) {
    CHECK(answered("HTTP/1.1 " + status + " X\r\nContent-Length: 3\r\n\r\n") ==
          "HTTP/1.1 " + status + " X\r\n\r\n");
  }
  CHECK(answered("HTTP/1.1 304 X\r\nContent-Length: 3\r\n\r\n") ==
        "HTTP/1.1 304 X\r\nContent-Length: 3\r\n\r\n");
}

}  // namespace wsproxy::http
