// What a connection takes before its first message, besides what the network library and OpenSSL take: a
// kilobyte more in one of these is a kilobyte more a connection. tests/system/memory_test.py weighs the
// whole.

#include <catch2/catch.hpp>

#include "proxy/relay_phase.hpp"
#include "proxy/session.hpp"

using namespace wsproxy;

TEST_CASE("What is kept for every connection stays small") {
  CHECK(sizeof(proxy::Session) <= 896);
  CHECK(sizeof(proxy::RelayPhase) <= 1616);
  CHECK(sizeof(relay::Relay) <= 1096);
  CHECK(sizeof(deflate::Compressor) <= 160);
}
