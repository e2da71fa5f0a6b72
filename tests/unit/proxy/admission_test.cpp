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

}  // namespace

TEST_CASE("4.2.1: a whole handshake is let through, each missing part has its answer") {
  CHECK_FALSE(proxy::judge(handshake(), {}));
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
    const auto refusal = proxy::judge(head, {});
    REQUIRE(refusal);
    CHECK(refusal->reason == row.reason);
    CHECK(refusal->status == row.status);
  }
}

TEST_CASE("4.1: a subprotocol offered twice is refused") {
  http::RequestHead head = handshake();
  head.fields.add("Sec-WebSocket-Protocol", "chat, chat");
  REQUIRE(proxy::judge(head, {}));
  CHECK(proxy::judge(head, {})->status == 400);
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
  CHECK_FALSE(is_origin_allowed("null", allowed));
  http::RequestHead head = handshake();
  head.fields.add("Origin", "https://evil.example");
  config::Limits limits;
  limits.allowed_origins = allowed;
  REQUIRE(proxy::judge(head, limits));
  CHECK(proxy::judge(head, limits)->status == 403);
}
