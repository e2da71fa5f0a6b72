#include "http/forwarded.hpp"

#include <catch2/catch.hpp>

#include "http/forward.hpp"
#include "playing.hpp"

namespace wsproxy::http {
namespace {

using test::plain_facts;
using test::request_of;

RequestHead seen(const std::string& lines, const ForwardedFacts& facts) {
  return request_of(
      forward_request(request_of("GET / HTTP/1.1\r\nHost: a.example\r\n" + lines + "\r\n"), facts));
}

ForwardedFacts trusting() {
  ForwardedFacts facts = plain_facts();
  facts.keep_incoming = true;
  return facts;
}

}  // namespace

TEST_CASE("7239 4 and 6: Forwarded has the client, the host and the scheme, quoted where they are no token") {
  const auto forwarded = [](std::string_view peer, const std::string& host, std::string_view scheme) {
    ForwardedFacts facts = plain_facts();
    facts.peer = peer;
    facts.scheme = scheme;
    const RequestHead client = request_of("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return std::string{request_of(forward_request(client, facts)).fields.first("forwarded")};
  };
  CHECK(forwarded("192.0.2.7", "a.example", "ws") == "for=192.0.2.7;host=a.example;proto=http");
  CHECK(forwarded("2001:db8::1", "a:8009", "wss") == "for=\"[2001:db8::1]\";host=\"a:8009\";proto=https");
  CHECK(forwarded("", "[::1]", "https") == "for=unknown;host=\"[::1]\";proto=https");
  CHECK(forwarded("192.0.2.7", "", "http") == "for=192.0.2.7;proto=http");
}

TEST_CASE("a client on a unix socket has no address and reached no port") {
  ForwardedFacts facts = plain_facts();
  facts.peer = facts.port = "";
  const RequestHead app = seen("", facts);
  CHECK(app.fields.count("x-forwarded-for") == 0);
  CHECK(app.fields.count("x-forwarded-port") == 0);
  CHECK(app.fields.first("x-forwarded-proto") == "http");
}

TEST_CASE("what a client brings of its origin is dropped, however it spells it") {
  const RequestHead app = seen(
      "X-Forwarded-For: 1\r\nx-forwarded-proto: 2\r\nX-Forwarded-Host: 3\r\nX-FORWARDED-PORT: "
      "4\r\nForwarded: 5\r\n"
      "X-Request-ID: 6\r\nX-Forwarded-Server: 7\r\nX_Forwarded_For: 8\r\nX-Forwarded_Proto: "
      "9\r\nX_Request-Id: 10\r\n"
      "X-Forwarded-: 11\r\nX-Forwarde: 12\r\nForwarded-For: 13\r\n",
      plain_facts());
  std::string names;
  for (const Field& field : app.fields.all()) names += field.name + "=" + field.value + " ";
  CHECK(names ==
        "Host=a.example X-Forwarde=12 Forwarded-For=13 X-Forwarded-For=192.0.2.7 X-Forwarded-Proto=http "
        "X-Forwarded-Host=a.example X-Forwarded-Port=8009 "
        "Forwarded=for=192.0.2.7;host=a.example;proto=http X-Request-Id=fresh ");
}

TEST_CASE("what a trusted proxy says stays; the lists are appended to, in one line each") {
  const RequestHead app = seen(
      "X-Forwarded-For: 203.0.113.1\r\nForwarded: for=203.0.113.1\r\nx-forwarded-for: 203.0.113.2\r\n"
      "Forwarded: for=203.0.113.2;proto=https\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: "
      "public.example\r\n"
      "X-Forwarded-Port: 443\r\nX-Request-Id: theirs\r\nX-Forwarded-Prefix: /p\r\nX_Forwarded_For: "
      "6.6.6.6\r\n",
      trusting());
  CHECK(app.fields.joined("x-forwarded-for") == "203.0.113.1, 203.0.113.2, 192.0.2.7");
  CHECK(app.fields.count("x-forwarded-for") == 1);
  CHECK(app.fields.joined("forwarded") ==
        "for=203.0.113.1, for=203.0.113.2;proto=https, for=192.0.2.7;host=a.example;proto=http");
  CHECK(app.fields.count("forwarded") == 1);
  CHECK(app.fields.joined("x-forwarded-proto") == "https");
  CHECK(app.fields.joined("x-forwarded-host") == "public.example");
  CHECK(app.fields.joined("x-forwarded-port") == "443");
  CHECK(app.fields.joined("x-request-id") == "theirs");
  CHECK(app.fields.joined("x-forwarded-prefix") == "/p");
  CHECK(app.fields.count("x_forwarded_for") == 0);
}

TEST_CASE("X-Forwarded-Client-Cert is of a client that has shown a certificate, and of no other") {
  ForwardedFacts facts = plain_facts();
  CHECK(seen("", facts).fields.count("x-forwarded-client-cert") == 0);
  facts.client_cert = "Hash=ab;Subject=\"CN=a\"";
  CHECK(seen("", facts).fields.joined("x-forwarded-client-cert") == "Hash=ab;Subject=\"CN=a\"");
}

TEST_CASE("what a client says of a certificate is dropped, however it spells it") {
  for (const char* name : {"X-Forwarded-Client-Cert", "x-forwarded-client-cert", "X_Forwarded_Client_Cert",
                           "X-Forwarded_Client-Cert", "X-FORWARDED-CLIENT_CERT"}) {
    CAPTURE(name);
    const std::string line = std::string{name} + ": Hash=admin\r\n";
    ForwardedFacts facts = plain_facts();
    CHECK(forward_request(request_of("GET / HTTP/1.1\r\nHost: a\r\n" + line + "\r\n"), facts)
              .find("Hash=admin") == std::string::npos);
    facts.client_cert = "Hash=ab";
    const RequestHead app = seen(line, facts);
    CHECK(app.fields.count("x-forwarded-client-cert") == 1);
    CHECK(app.fields.joined("x-forwarded-client-cert") == "Hash=ab");
  }
}

TEST_CASE("what a trusted proxy says of a client's certificate stays, and its own comes behind it") {
  const std::string lines = "X-Forwarded-Client-Cert: Hash=1\r\nx-forwarded-client-cert: Hash=2,Hash=3\r\n";
  ForwardedFacts facts = trusting();
  CHECK(seen(lines, facts).fields.joined("x-forwarded-client-cert") == "Hash=1, Hash=2,Hash=3");
  facts.client_cert = "Hash=ab";
  CHECK(seen("", facts).fields.joined("x-forwarded-client-cert") == "Hash=ab");
  const RequestHead app = seen(lines, facts);
  CHECK(app.fields.joined("x-forwarded-client-cert") == "Hash=1, Hash=2,Hash=3,Hash=ab");
  CHECK(app.fields.count("x-forwarded-client-cert") == 1);
  // Even a trusted proxy may have let an underscore pass unseen.
  const RequestHead other = seen("X_Forwarded_Client_Cert: Hash=admin\r\n", facts);
  CHECK(other.fields.count("x_forwarded_client_cert") == 0);
  CHECK(other.fields.joined("x-forwarded-client-cert") == "Hash=ab");
}

TEST_CASE("the port of this listener is not told beside another proxy's scheme or host") {
  CHECK(seen("", trusting()).fields.joined("x-forwarded-port") == "8009");
  CHECK(seen("X-Forwarded-For: 203.0.113.1\r\n", trusting()).fields.joined("x-forwarded-port") == "8009");
  CHECK(seen("X-Forwarded-Proto: https\r\n", trusting()).fields.count("x-forwarded-port") == 0);
  CHECK(seen("X-Forwarded-Host: b\r\n", trusting()).fields.count("x-forwarded-port") == 0);
}

}  // namespace wsproxy::http
