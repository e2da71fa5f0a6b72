#include "http/upgrade.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::http {
namespace {

RequestHead request(std::vector<Field> extra, std::string target = "/chat?a=b") {
  RequestHead head;
  head.method = "GET";
  head.target = std::move(target);
  head.fields.add("Host", "ws.example.org:8009");
  for (Field& field : extra) head.fields.add(std::move(field.name), std::move(field.value));
  return head;
}

ForwardedFacts facts() {
  ForwardedFacts facts;
  facts.peer = "192.0.2.7";
  facts.scheme = "ws";
  facts.port = "8009";
  facts.request_id = "fresh-id";
  return facts;
}

ForwardedFacts trusting() {
  ForwardedFacts result = facts();
  result.keep_incoming = true;
  return result;
}

/// The request that the app gets, read again: so nothing that is written here can be malformed.
RequestHead seen_by_app(const RequestHead& head, const ForwardedFacts& what) {
  const std::string text = upgrade_request(head, what);
  INFO(text);
  RequestHeadReader reader{65536};
  std::size_t used = 0;
  REQUIRE(reader.feed(base::as_bytes(text), used) == HeadStatus::complete);
  REQUIRE(used == text.size());
  return reader.head();
}

ResponseHead answer(std::vector<Field> extra) {
  ResponseHead head;
  head.status = 101;
  head.fields.add("upgrade", "WebSocket");
  head.fields.add("Connection", "keep-alive, Upgrade");
  head.fields.add("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  for (Field& field : extra) head.fields.add(std::move(field.name), std::move(field.value));
  return head;
}

constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

ResponseHead without(const ResponseHead& from, std::string_view name) {
  ResponseHead head = from;
  head.fields = {};
  for (const Field& field : from.fields.all()) {
    if (field.name != name) head.fields.add(field.name, field.value);
  }
  return head;
}

}  // namespace

TEST_CASE("the app gets the client's request line and fields in their order, then our own") {
  const RequestHead head = request({{"Upgrade", "websocket"},
                                    {"Connection", "Upgrade"},
                                    {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                                    {"Origin", "https://example.org"},
                                    {"Sec-WebSocket-Protocol", "chat, superchat"},
                                    {"cookie", "a=1"},
                                    {"Cookie", "b=2"},
                                    {"Sec-WebSocket-Version", "13"},
                                    {"Sec-WebSocket-Extensions", "permessage-deflate"},
                                    {"Authorization", "Bearer x"}});
  CHECK(upgrade_request(head, facts()) ==
        "GET /chat?a=b HTTP/1.1\r\n"
        "Host: ws.example.org:8009\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Origin: https://example.org\r\n"
        "Sec-WebSocket-Protocol: chat, superchat\r\n"
        "cookie: a=1\r\n"
        "Cookie: b=2\r\n"
        "Sec-WebSocket-Version: 13\r\n"
        "Authorization: Bearer x\r\n"
        "Connection: Upgrade\r\n"
        "Upgrade: websocket\r\n"
        "X-Forwarded-For: 192.0.2.7\r\n"
        "X-Forwarded-Proto: http\r\n"
        "X-Forwarded-Host: ws.example.org:8009\r\n"
        "X-Forwarded-Port: 8009\r\n"
        "Forwarded: for=192.0.2.7;host=\"ws.example.org:8009\";proto=http\r\n"
        "X-Request-Id: fresh-id\r\n\r\n");
}

TEST_CASE("9110 7.6.1: hop-by-hop fields end at the proxy, named by Connection or well known") {
  const RequestHead app = seen_by_app(request({{"Connection", "Upgrade, X-Hop"},
                                               {"connection", "keep-alive ,x-other"},
                                               {"Upgrade", "websocket"},
                                               {"X-Hop", "1"},
                                               {"X-OTHER", "2"},
                                               {"X-Stays", "3"},
                                               {"Keep-Alive", "timeout=5"},
                                               {"Proxy-Connection", "keep-alive"},
                                               {"TE", "trailers"},
                                               {"Trailer", "Expires"},
                                               {"Transfer-Encoding", "chunked"},
                                               {"Sec-WebSocket-Extensions", "permessage-deflate"},
                                               {"sec-websocket-extensions", "x-more"}}),
                                      facts());
  for (const char* name : {"X-Hop", "X-Other", "Keep-Alive", "Proxy-Connection", "TE", "Trailer",
                           "Transfer-Encoding", "Sec-WebSocket-Extensions"}) {
    INFO(name);
    CHECK(app.fields.count(name) == 0);
  }
  CHECK(app.fields.first("x-stays") == "3");
  CHECK(app.fields.joined("connection") == "Upgrade");
  CHECK(app.fields.joined("upgrade") == "websocket");
}

TEST_CASE("Connection cannot name away what makes the handshake") {
  const RequestHead app =
      seen_by_app(request({{"Connection", "Upgrade, Host, Sec-WebSocket-Key, X-Forwarded-For"},
                           {"Sec-WebSocket-Key", "k"}}),
                  facts());
  CHECK(app.fields.first("host") == "ws.example.org:8009");
  CHECK(app.fields.first("sec-websocket-key") == "k");
  CHECK(app.fields.first("x-forwarded-for") == "192.0.2.7");
}

TEST_CASE("a handshake has no body: Content-Length does not reach the app") {
  CHECK(seen_by_app(request({{"Content-Length", "10"}}), facts()).fields.count("content-length") == 0);
}

TEST_CASE("the upstream's path comes before the target") {
  const auto target = [](std::string_view base_path, std::string client_target) {
    ForwardedFacts what = facts();
    what.base_path = base_path;
    return seen_by_app(request({}, std::move(client_target)), what).target;
  };
  CHECK(target("", "/a?b") == "/a?b");
  CHECK(target("/", "/a?b") == "/a?b");
  CHECK(target("/api", "/a?b") == "/api/a?b");
  CHECK(target("/api/", "/") == "/api/");
}

TEST_CASE("9112 3.2.2: a whole URL becomes a path, and its host is the one that counts") {
  const RequestHead app = seen_by_app(request({}, "ws://other.example:81/x?y"), facts());
  CHECK(app.target == "/x?y");
  CHECK(app.fields.joined("host") == "other.example:81");
  CHECK(app.fields.first("x-forwarded-host") == "other.example:81");
  CHECK(seen_by_app(request({}, "HTTP://a"), facts()).target == "/");
  CHECK(seen_by_app(request({}, "http://a?b"), facts()).target == "/?b");
}

TEST_CASE("what a client that is not trusted says of its origin is replaced") {
  const RequestHead app = seen_by_app(request({{"X-Forwarded-For", "10.0.0.1"},
                                               {"x-forwarded-for", "10.0.0.2"},
                                               {"X_Forwarded_For", "10.0.0.3"},
                                               {"X-Forwarded-Proto", "https"},
                                               {"X-Forwarded-Host", "evil"},
                                               {"X-Forwarded-Port", "1"},
                                               {"Forwarded", "for=10.0.0.1"},
                                               {"X-Request-Id", "theirs"}}),
                                      facts());
  CHECK(app.fields.joined("x-forwarded-for") == "192.0.2.7");
  CHECK(app.fields.joined("x-forwarded-proto") == "http");
  CHECK(app.fields.joined("x-forwarded-host") == "ws.example.org:8009");
  CHECK(app.fields.joined("x-request-id") == "fresh-id");
  CHECK(app.fields.joined("x-forwarded-port") == "8009");
  CHECK(app.fields.joined("forwarded") == "for=192.0.2.7;host=\"ws.example.org:8009\";proto=http");
  CHECK(app.fields.count("X_Forwarded_For") == 0);
}

TEST_CASE("what a trusted peer says of the origin stays, and its address is appended") {
  const RequestHead app = seen_by_app(request({{"X-Forwarded-For", "10.0.0.1"},
                                               {"x-forwarded-for", "10.0.0.2"},
                                               {"X-Forwarded-Proto", "https"},
                                               {"X-Forwarded-Host", "public.example"},
                                               {"X-Forwarded-Port", "443"},
                                               {"Forwarded", "for=10.0.0.1"},
                                               {"X-Request-Id", "theirs"}}),
                                      trusting());
  CHECK(app.fields.joined("x-forwarded-for") == "10.0.0.1, 10.0.0.2, 192.0.2.7");
  CHECK(app.fields.count("x-forwarded-for") == 1);
  CHECK(app.fields.joined("x-forwarded-proto") == "https");
  CHECK(app.fields.joined("x-forwarded-host") == "public.example");
  CHECK(app.fields.joined("x-forwarded-port") == "443");
  CHECK(app.fields.joined("forwarded") ==
        "for=10.0.0.1, for=192.0.2.7;host=\"ws.example.org:8009\";proto=http");
  CHECK(app.fields.joined("x-request-id") == "theirs");
}

TEST_CASE("a trusted peer that says nothing gets our own facts") {
  const RequestHead app = seen_by_app(request({}), trusting());
  CHECK(app.fields.joined("x-forwarded-for") == "192.0.2.7");
  CHECK(app.fields.joined("x-request-id") == "fresh-id");
}

TEST_CASE("facts that there are not are not written") {
  ForwardedFacts nothing;
  nothing.scheme = "wss";
  const RequestHead app = seen_by_app(request({}), nothing);
  CHECK(app.fields.count("x-forwarded-for") == 0);
  CHECK(app.fields.count("x-request-id") == 0);
  CHECK(app.fields.joined("x-forwarded-proto") == "https");
  nothing.keep_incoming = true;
  CHECK(seen_by_app(request({{"X-Forwarded-For", "10.0.0.1"}}), nothing).fields.joined("x-forwarded-for") ==
        "10.0.0.1");
}

TEST_CASE("nothing in a field can break out of its line") {
  RequestHead head = request({{"A", "1\r\nEvil: 2"},
                              {"B\r\nEvil", "3"},
                              {"C", "4\n"},
                              {"D", std::string("5\0", 2)},
                              {"", "6"},
                              {"E F", "7"},
                              {"G", "8"}});
  head.target = "/x\r\nEvil: 9";
  ForwardedFacts what = facts();
  what.peer = "1.2.3.4\r\nEvil: 10";
  what.request_id = "id\r\n\r\nGET / HTTP/1.1";
  const std::string text = upgrade_request(head, what);
  CHECK(text.find("\nEvil") == std::string::npos);
  CHECK(text.find("\r\n\r\n") == text.size() - 4);
  CHECK(text.find("G: 8\r\n") != std::string::npos);

  ResponseHead app = answer({{"Set-Cookie", "a=1\r\nEvil: 2"}});
  const std::string response = upgrade_response(app, "permessage-deflate\r\nEvil: 3");
  CHECK(response.find("\nEvil") == std::string::npos);
  CHECK(response.find("\r\n\r\n") == response.size() - 4);
}

TEST_CASE("6455 4.1: a right 101 has no problem") {
  CHECK(problem_with_101(answer({}), kAccept, "") == "");
  CHECK(problem_with_101(answer({{"Sec-WebSocket-Protocol", "b"}}), kAccept, "a, b") == "");
  CHECK(problem_with_101(answer({}), kAccept, "a") == "");
}

TEST_CASE("6455 4.1: a 101 that does not upgrade is refused") {
  ResponseHead ok = answer({});
  ok.status = 200;
  CHECK(problem_with_101(ok, kAccept, "") == "the status is not 101");
  CHECK(problem_with_101(without(answer({}), "upgrade"), kAccept, "") == "no Upgrade: websocket");
  CHECK(problem_with_101(without(answer({}), "Connection"), kAccept, "") == "no Connection: Upgrade");
}

TEST_CASE("6455 4.1: the accept key is the expected one, to the letter, and comes once") {
  CHECK(problem_with_101(without(answer({}), "Sec-WebSocket-Accept"), kAccept, "") ==
        "not exactly one Sec-WebSocket-Accept");
  CHECK(problem_with_101(answer({{"sec-websocket-accept", std::string{kAccept}}}), kAccept, "") ==
        "not exactly one Sec-WebSocket-Accept");
  CHECK(problem_with_101(answer({}), "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "") == "a wrong Sec-WebSocket-Accept");
}

TEST_CASE("6455 4.1: any extension is one that nobody offered") {
  CHECK(problem_with_101(answer({{"Sec-WebSocket-Extensions", "permessage-deflate"}}), kAccept, "") ==
        "an extension that was not offered");
  CHECK(problem_with_101(answer({{"sec-websocket-extensions", ""}}), kAccept, "") ==
        "an extension that was not offered");
}

TEST_CASE("6455 4.1: the subprotocol is one of the offered, case and all") {
  const auto problem = [](std::string answered, std::string_view offered) {
    return problem_with_101(answer({{"Sec-WebSocket-Protocol", std::move(answered)}}), kAccept, offered);
  };
  CHECK(problem("c", "a, b") == "a subprotocol that was not offered");
  CHECK(problem("A", "a, b") == "a subprotocol that was not offered");
  CHECK(problem("a", "") == "a subprotocol that was not offered");
  CHECK(problem("", "a") == "a subprotocol that was not offered");
  CHECK(problem("", "a,,b") == "a subprotocol that was not offered");
  CHECK(problem("a, b", "a, b") == "a subprotocol that was not offered");
  CHECK(problem("aa", "a,aab") == "a subprotocol that was not offered");
  CHECK(problem("a", "a,b") == "");
  CHECK(problem("b", "a ,\tb ") == "");
  CHECK(problem_with_101(answer({{"Sec-WebSocket-Protocol", "a"}, {"sec-websocket-protocol", "a"}}), kAccept,
                         "a") == "more than one subprotocol");
}

TEST_CASE("the client gets the app's fields in order, our own upgrade and our own extension") {
  const ResponseHead app = answer({{"Server", "app/1"},
                                   {"Set-Cookie", "a=1"},
                                   {"Keep-Alive", "timeout=5"},
                                   {"set-cookie", "b=2"},
                                   {"Content-Length", "0"},
                                   {"Transfer-Encoding", "chunked"},
                                   {"Sec-WebSocket-Protocol", "chat"},
                                   {"Date", "Mon, 01 Jan 2024 00:00:00 GMT"}});
  const std::string expected =
      "HTTP/1.1 101 Switching Protocols\r\n"
      "Connection: Upgrade\r\n"
      "Upgrade: websocket\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
      "Server: app/1\r\n"
      "Set-Cookie: a=1\r\n"
      "set-cookie: b=2\r\n"
      "Sec-WebSocket-Protocol: chat\r\n"
      "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n";
  CHECK(upgrade_response(app, "") == expected + "\r\n");
  CHECK(upgrade_response(app, "permessage-deflate") ==
        expected + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
}

}  // namespace wsproxy::http
