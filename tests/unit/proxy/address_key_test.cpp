#include "proxy/address_key.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::proxy {
namespace {

TEST_CASE("an IPv4 address is itself, in IPv6 clothing too") {
  CHECK(address_key("192.0.2.1") == address_key("192.0.2.1"));
  CHECK(address_key("::ffff:192.0.2.1") == address_key("192.0.2.1"));
  CHECK(address_key("::ffff:c000:201") == address_key("192.0.2.1"));
  CHECK(address_key("192.0.2.1") != address_key("192.0.2.2"));
  CHECK(address_key("::ffff:192.0.2.1") != address_key("::ffff:192.0.2.2"));
  CHECK(address_key("0.0.0.0") != "");
}

TEST_CASE("RFC 6177: IPv6 addresses of one /64 are one, however they are written") {
  CHECK(address_key("2001:db8:1:2::1") == address_key("2001:0DB8:1:2:ffff:ffff:ffff:ffff"));
  CHECK(address_key("2001:db8:1:2::1") != address_key("2001:db8:1:3::1"));
  CHECK(address_key("2001:db8:1:2::1") != address_key("2001:db8:1:102::1"));
  CHECK(address_key("::1") != "");
  CHECK(address_key("fe80::1%1") == address_key("fe80::2"));
}

TEST_CASE("no IPv4 address is one with an IPv6 address") {
  CHECK(address_key("0.0.0.0") != address_key("::"));
  CHECK(address_key("32.1.13.184") != address_key("2001:db8::"));
}

TEST_CASE("what is no address has no key") {
  for (const char* text : {"", "unknown", "_hidden", "localhost", "192.0.2.1:80", "[::1]", "192.0.2"}) {
    CAPTURE(text);
    CHECK(address_key(text).empty());
  }
}

}  // namespace
}  // namespace wsproxy::proxy
