#include "http/client_address.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::http {
namespace {

/// Trusts what begins with "10." and "fd00:".
bool is_inside(const std::string& address) {
  return address.starts_with("10.") || address.starts_with("fd00:");
}

std::string client(std::vector<Field> lines, std::string_view peer = "10.0.0.1") {
  Fields fields;
  for (Field& line : lines) fields.add(std::move(line.name), std::move(line.value));
  return client_address(fields, peer, is_inside);
}

std::string from_chain(std::string value) {
  return client({{"X-Forwarded-For", std::move(value)}});
}

std::string from_forwarded(std::string value) {
  return client({{"Forwarded", std::move(value)}});
}

}  // namespace

TEST_CASE("a peer that is not trusted is the client, whatever it says") {
  CHECK(client({{"X-Forwarded-For", "203.0.113.1"}}, "192.0.2.7") == "192.0.2.7");
  CHECK(client({{"Forwarded", "for=203.0.113.1"}}, "192.0.2.7") == "192.0.2.7");
  CHECK(client({{"X-Forwarded-For", "203.0.113.1"}}, "") == "");
}

TEST_CASE("the client is the rightmost address that is not trusted") {
  CHECK(from_chain("203.0.113.1") == "203.0.113.1");
  CHECK(from_chain("6.6.6.6, 203.0.113.1, 10.0.0.3,10.0.0.2") == "203.0.113.1");
  CHECK(client({{"X-Forwarded-For", "203.0.113.1"}, {"x-forwarded-for", "10.0.0.2"}}) == "203.0.113.1");
  CHECK(client({{"x-forwarded-for", "6.6.6.6"}, {"X-Forwarded-For", "203.0.113.1"}}) == "203.0.113.1");
}

TEST_CASE("when all are trusted, the first of them is the client; without a chain it is the peer") {
  CHECK(from_chain("10.0.0.3, 10.0.0.2") == "10.0.0.3");
  CHECK(client({}) == "10.0.0.1");
}

TEST_CASE("ports and brackets are no part of an address") {
  CHECK(from_chain("203.0.113.1:4711") == "203.0.113.1");
  CHECK(from_chain("[2001:db8::1]:4711, 10.0.0.2:80, [fd00::1]") == "2001:db8::1");
  CHECK(from_chain("2001:db8::1, fd00::1") == "2001:db8::1");
}

TEST_CASE("garbage ends the walk at the last proxy that is known") {
  for (const char* garbage :
       {"", " ", "unknown", "_hidden", "a.example", "203.0.113.1:", "203.0.113.1:x", "203.0.113.1:123456",
        "[2001:db8::1", "[2001:db8::1]x", "1", "fe80::1%eth0", "203.0.113.1 203.0.113.2", "[]"}) {
    INFO(garbage);
    CHECK(from_chain(garbage) == "10.0.0.1");
    CHECK(from_chain("203.0.113.1, " + std::string{garbage} + ", 10.0.0.2") == "10.0.0.2");
  }
}

TEST_CASE("7239 4: Forwarded is read where there is no X-Forwarded-For") {
  CHECK(from_forwarded("for=203.0.113.1") == "203.0.113.1");
  CHECK(from_forwarded("For=\"[2001:db8::1]:4711\";proto=https, proto=http;for=10.0.0.2") == "2001:db8::1");
  CHECK(from_forwarded("for=203.0.113.1;host=\"a,b;for=6.6.6.6\"") == "203.0.113.1");
  CHECK(from_forwarded("for=6.6.6.6, for=unknown, for=10.0.0.2") == "10.0.0.2");
  CHECK(from_forwarded("for=6.6.6.6, proto=http") == "10.0.0.1");
  CHECK(from_forwarded("for=\"6.6.6.6\\\", for=203.0.113.1") == "10.0.0.1");
  CHECK(client({{"Forwarded", "for=6.6.6.6"}, {"X-Forwarded-For", "203.0.113.1"}}) == "203.0.113.1");
}

}  // namespace wsproxy::http
