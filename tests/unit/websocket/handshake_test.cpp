#include "websocket/handshake.hpp"

#include <functional>
#include <set>
#include <string>

#include <catch2/catch.hpp>

namespace wsproxy::websocket {
namespace {

HandshakeRequest good_request() {
  HandshakeRequest request;
  request.method = "GET";
  request.host = "server.example.com";
  request.key = "dGhlIHNhbXBsZSBub25jZQ==";
  request.version = "13";
  return request;
}

TEST_CASE("4.2.1: what a request must have, one thing wrong at a time") {
  using Change = std::function<void(HandshakeRequest&)>;
  using enum HandshakeFault;
  struct Row {
    const char* what;
    Change change;
    HandshakeFault fault;
    unsigned status;
  };
  const Row rows[] = {
      {"nothing is wrong", [](auto&) {}, none, 0},
      {"HTTP/1.2", [](auto& r) { r.http_minor = 2; }, none, 0},
      {"a key of zeros", [](auto& r) { r.key = "AAAAAAAAAAAAAAAAAAAAAA=="; }, none, 0},
      {"the key of section 4.1, whose unused bits are set",
       [](auto& r) { r.key = "AQIDBAUGBwgJCgsMDQ4PEC=="; }, none, 0},

      {"POST", [](auto& r) { r.method = "POST"; }, method_not_get, 400},
      {"methods have a case", [](auto& r) { r.method = "get"; }, method_not_get, 400},
      {"no method", [](auto& r) { r.method = ""; }, method_not_get, 400},
      {"HTTP/1.0", [](auto& r) { r.http_minor = 0; }, http_too_old, 400},
      {"no Host", [](auto& r) { r.host = ""; }, host_missing, 400},
      {"no version", [](auto& r) { r.version = ""; }, version_unsupported, 426},
      {"version 8", [](auto& r) { r.version = "8"; }, version_unsupported, 426},
      {"version 14", [](auto& r) { r.version = "14"; }, version_unsupported, 426},
      {"version 013", [](auto& r) { r.version = "013"; }, version_unsupported, 426},
      {"version twice", [](auto& r) { r.version = "13, 13"; }, version_unsupported, 426},
      {"no key", [](auto& r) { r.key = "", r.key_count = 0; }, key_missing, 400},
      {"an empty key", [](auto& r) { r.key = ""; }, key_missing, 400},
      {"two keys", [](auto& r) { r.key_count = 2; }, key_invalid, 400},
      {"two keys in one line", [](auto& r) { r.key = "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="; },
       key_invalid, 400},
      {"a key of 15 octets", [](auto& r) { r.key = "AAAAAAAAAAAAAAAAAAAA"; }, key_invalid, 400},
      {"a key of 17 octets", [](auto& r) { r.key = "AAAAAAAAAAAAAAAAAAAAAAA="; }, key_invalid, 400},
      {"a key of 18 octets", [](auto& r) { r.key = "AAAAAAAAAAAAAAAAAAAAAAAA"; }, key_invalid, 400},
      {"a key without padding", [](auto& r) { r.key = "dGhlIHNhbXBsZSBub25jZQ"; }, key_invalid, 400},
      {"a key with other padding", [](auto& r) { r.key = "dGhlIHNhbXBsZSBub25jZ==="; }, key_invalid, 400},
      {"a key of the URL alphabet", [](auto& r) { r.key = "dGhlIHNhbXBsZSBub25j-_=="; }, key_invalid, 400},
      {"a key with a space", [](auto& r) { r.key = "dGhlIHNhbXBsZSBub25 jZ=="; }, key_invalid, 400},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    HandshakeRequest request = good_request();
    row.change(request);
    CHECK(check_request(request) == row.fault);
    if (row.fault != none) CHECK(status_for(row.fault) == row.status);
  }
}

TEST_CASE("each fault of a handshake is described by a sentence of its own") {
  std::set<std::string_view> sentences;
  for (unsigned i = 0; i <= static_cast<unsigned>(HandshakeFault::key_invalid); ++i) {
    const std::string_view sentence = describe(HandshakeFault{static_cast<unsigned char>(i)});
    CHECK(sentence != "unknown fault");
    CHECK(sentences.insert(sentence).second);
  }
}

TEST_CASE("4.2.1: a request wants a WebSocket when both headers say so") {
  CHECK(wants_websocket("websocket", "Upgrade"));
  CHECK(wants_websocket("WebSocket", "uPGRADE"));
  CHECK(wants_websocket("foo/2, WebSocket", "close, upgrade"));
  CHECK_FALSE(wants_websocket("websocket", "keep-alive"));
  CHECK_FALSE(wants_websocket("websocket", ""));
  CHECK_FALSE(wants_websocket("h2c", "Upgrade"));
  CHECK_FALSE(wants_websocket("websockets", "Upgrade"));
  CHECK_FALSE(wants_websocket("", ""));
}

TEST_CASE("1.3: the accept key of the RFC's example") {
  CHECK(accept_for("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK(accept_for("x3JJHMbDL1EzLkh9GBhXDw==") == "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
}

TEST_CASE("4.1: subprotocols are tokens and none comes twice") {
  for (const char* list : {"", "chat", "chat, superchat", "a,b,c", "v1.ocpp, OCPP2.0.1", "chat,,superchat",
                           " chat ,", "Chat, chat"}) {
    INFO(list);
    CHECK(is_valid_subprotocol_list(list));
  }
  for (const char* list :
       {"chat, chat", "a,b,a", "two words", "a;b", "a, b=c", "\"chat\"", "a, \xc3\xa4", "a,b c"}) {
    INFO(list);
    CHECK_FALSE(is_valid_subprotocol_list(list));
  }
}

TEST_CASE("4.1: thousands of subprotocols are judged in no time") {
  std::string list;
  for (int i = 0; i < 10000; ++i) list += std::to_string(i) + ',';
  CHECK(is_valid_subprotocol_list(list));
  CHECK_FALSE(is_valid_subprotocol_list(list + "9999"));
}

}  // namespace
}  // namespace wsproxy::websocket
