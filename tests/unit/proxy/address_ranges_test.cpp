#include "proxy/address_ranges.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::proxy {
namespace {

TEST_CASE("an address is in a network of its own family") {
  CHECK(AddressRanges({"10.0.0.0/8"}).contains("10.1.2.3"));
  CHECK(AddressRanges({"10.9.9.9/8"}).contains("10.1.2.3"));  // what is behind the prefix does not count
  CHECK(AddressRanges({"192.168.0.0/16", "10.1.2.3"}).contains("10.1.2.3"));
  CHECK(AddressRanges({"0.0.0.0/0"}).contains("10.1.2.3"));
  CHECK(AddressRanges({"fd00::/8"}).contains("fd00::5"));
  CHECK(AddressRanges({"::1"}).contains("::1"));
  CHECK_FALSE(AddressRanges({"10.0.0.0/8"}).contains("11.1.2.3"));
  CHECK_FALSE(AddressRanges({"10.1.2.3"}).contains("10.1.2.4"));
  CHECK_FALSE(AddressRanges({"fd00::/8", "0.0.0.0/0"}).contains("fe80::1"));
  CHECK_FALSE(AddressRanges({"0.0.0.0/0", "::/0"}).contains(""));
  CHECK_FALSE(AddressRanges().contains("10.1.2.3"));
}

}  // namespace
}  // namespace wsproxy::proxy
