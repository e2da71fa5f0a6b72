#include "proxy/admission.hpp"

#include <catch2/catch.hpp>

using namespace wsproxy;
using proxy::is_origin_allowed;
using telemetry::Rejection;

namespace {

http::RequestHead handshake() {
  http::RequestHead head;
  head.method = "GET";
  head.target = "/";
  head.fields.add("Host", "example.org");
  head.fields.add("Upgrade", "websocket");
  head.fields.add("Connection", "keep-alive, Upgrade");
  head.fields.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
  head.fields.add("Sec-WebSocket-Version", "13");
  return head;
}

std::optional<proxy::Refusal> refusal_of(const http::RequestHead& head, const config::Limits& limits = {}) {
  return proxy::judge(head, config::Http{false}, limits).refusal;
}

}  // namespace

TEST_CASE("4.2.1: a whole handshake is let through, each missing part has its answer") {
  CHECK_FALSE(refusal_of(handshake()));
  struct Row {
    const char* without;
    Rejection reason;
    unsigned status;
  };
  for (const Row& row :
       {Row{"Upgrade", Rejection::not_websocket, 426}, Row{"Connection", Rejection::not_websocket, 426},
        Row{"Sec-WebSocket-Key", Rejection::bad_handshake, 400},
        Row{"Sec-WebSocket-Version", Rejection::bad_handshake, 426},
        Row{"Host", Rejection::bad_handshake, 400}}) {
    INFO(row.without);
    http::RequestHead head = handshake();
    http::Fields kept;
    for (const http::Field& field : head.fields.all()) {
      if (field.name != row.without) kept.add(field.name, field.value);
    }
    head.fields = kept;
    const auto refusal = refusal_of(head);
    REQUIRE(refusal);
    CHECK(refusal->reason == row.reason);
    CHECK(refusal->status == row.status);
  }
}

TEST_CASE("4.1: a subprotocol offered twice is refused") {
  http::RequestHead head = handshake();
  head.fields.add("Sec-WebSocket-Protocol", "chat, chat");
  REQUIRE(refusal_of(head));
  CHECK(refusal_of(head)->status == 400);
}

TEST_CASE("9112 6: a handshake with a body is refused, whatever frames it") {
  for (const http::Field& field :
       {http::Field{"Content-Length", "1"}, http::Field{"Transfer-Encoding", "chunked"}}) {
    http::RequestHead head = handshake();
    head.fields.add(field.name, field.value);
    const auto refusal = refusal_of(head);
    REQUIRE(refusal);
    CHECK(refusal->reason == Rejection::bad_handshake);
    CHECK(refusal->status == 400);
  }
  http::RequestHead head = handshake();
  head.fields.add("Content-Length", "0");
  CHECK_FALSE(refusal_of(head));
}

TEST_CASE("An origin is allowed exactly or below a wildcard, and without a list always") {
  const std::vector<std::string> allowed{"https://example.org", "https://*.example.com"};
  CHECK(is_origin_allowed("https://example.org", allowed));
  CHECK(is_origin_allowed("HTTPS://EXAMPLE.ORG", allowed));
  CHECK(is_origin_allowed("https://a.example.com", allowed));
  CHECK(is_origin_allowed("https://a.b.example.com", allowed));
  CHECK(is_origin_allowed("", allowed));
  CHECK(is_origin_allowed("https://anything", {}));
  CHECK_FALSE(is_origin_allowed("http://example.org", allowed));
  CHECK_FALSE(is_origin_allowed("https://example.com", allowed));
  CHECK_FALSE(is_origin_allowed("https://.example.com", allowed));
  CHECK_FALSE(is_origin_allowed("https://evilexample.com", allowed));
  CHECK_FALSE(is_origin_allowed("https://example.org.evil", allowed));
  CHECK_FALSE(is_origin_allowed("https://example.org:8443", allowed));
  CHECK_FALSE(is_origin_allowed("https://evil.org?.example.com", allowed));
  CHECK_FALSE(is_origin_allowed("null", allowed));
  CHECK_FALSE(is_origin_allowed("*", allowed));
  CHECK(is_origin_allowed("null", {"null"}));
  CHECK_FALSE(is_origin_allowed("nonsense", {"null"}));
  http::RequestHead head = handshake();
  head.fields.add("Origin", "https://evil.example");
  config::Limits limits;
  limits.allowed_origins = allowed;
  REQUIRE(refusal_of(head, limits));
  CHECK(refusal_of(head, limits)->status == 403);
}

TEST_CASE("6454 7.3: of two origins none counts") {
  http::RequestHead head = handshake();
  head.fields.add("Origin", "https://example.org");
  head.fields.add("origin", "https://evil.example");
  REQUIRE(refusal_of(head));
  CHECK(refusal_of(head)->status == 400);
}

TEST_CASE("A plain request is passed on, one for another protocol is not (RFC 9110 7.8, 9.3.6, 7.6.2)") {
  using Way = proxy::Verdict::Way;
  const auto verdict = [](const char* method, http::Fields fields, unsigned version_minor = 1) {
    http::RequestHead head;
    head.method = method;
    head.target = "/";
    head.version_minor = version_minor;
    head.fields = std::move(fields);
    return proxy::judge(head, {}, {});
  };
  const auto with = [](const char* name, const char* value) {
    http::Fields fields;
    fields.add(name, value);
    return fields;
  };
  http::Fields h2c = with("Upgrade", "h2c");
  CHECK(verdict("GET", h2c).way == Way::forward);
  h2c.add("Connection", "Upgrade, HTTP2-Settings");
  REQUIRE(verdict("GET", h2c).refusal);
  CHECK(verdict("GET", h2c).refusal->status == 501);
  CHECK_FALSE(verdict("GET", h2c, 0).refusal);
  CHECK(verdict("PROPFIND", {}).way == Way::forward);
  REQUIRE(verdict("CONNECT", {}).refusal);
  CHECK(verdict("CONNECT", {}).refusal->reason == Rejection::not_implemented);
  CHECK(verdict("OPTIONS", with("Max-Forwards", "0")).way == Way::answered_here);
  CHECK(verdict("OPTIONS", with("Max-Forwards", "1")).way == Way::forward);
  CHECK(verdict("GET", with("Max-Forwards", "0")).way == Way::forward);
  REQUIRE(verdict("TRACE", with("Max-Forwards", "0")).refusal);
  CHECK(verdict("TRACE", with("Max-Forwards", "0")).refusal->status == 501);
}
