#include "proxy/handshake_rates.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::proxy {
namespace {

using namespace std::chrono_literals;

constexpr HandshakeRates::Clock::time_point kStart{1000s};

int taken(HandshakeRates& rates, const std::string& key, int tries, HandshakeRates::Clock::time_point now) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += rates.try_one(key, now) ? 1 : 0;
  return count;
}

TEST_CASE("an address may make a second's worth of handshakes at once, then as many as the rate brings") {
  HandshakeRates rates{5};
  CHECK(taken(rates, "a", 100, kStart) == 5);
  CHECK(taken(rates, "a", 100, kStart + 399ms) == 1);
  CHECK(taken(rates, "a", 100, kStart + 601ms) == 2);
  CHECK(taken(rates, "a", 100, kStart + 1h) == 5);
}

TEST_CASE("a rate of one a second is one at once") {
  HandshakeRates rates{1};
  CHECK(taken(rates, "a", 3, kStart) == 1);
  CHECK(taken(rates, "a", 3, kStart + 999ms) == 0);
  CHECK(taken(rates, "a", 3, kStart + 1001ms) == 1);
}

TEST_CASE("each address has a rate of its own") {
  HandshakeRates rates{2};
  CHECK(taken(rates, "a", 9, kStart) == 2);
  CHECK(taken(rates, "b", 9, kStart) == 2);
}

TEST_CASE("without a rate, or without an address, nothing is refused and nothing kept") {
  HandshakeRates off{0};
  CHECK(taken(off, "a", 1000, kStart) == 1000);
  CHECK(off.addresses() == 0);
  HandshakeRates rates{1};
  CHECK(taken(rates, "", 1000, kStart) == 1000);
  CHECK(rates.addresses() == 0);
}

TEST_CASE("whoever has been silent for a second is forgotten by the next who come") {
  HandshakeRates rates{1};
  for (int i = 0; i < 100; ++i) CHECK(rates.try_one("a" + std::to_string(i), kStart));
  CHECK(rates.addresses() == 100);
  CHECK(rates.try_one("b", kStart + 999ms));
  CHECK(rates.addresses() == 101);
  for (int i = 0; i < 60; ++i) rates.try_one("b", kStart + 1s);
  CHECK(rates.addresses() == 1);
}

TEST_CASE("whoever keeps trying in vain is not forgotten") {
  HandshakeRates rates{1, 4};
  CHECK(rates.try_one("busy", kStart));
  for (int i = 0; i < 100; ++i) {
    CHECK(rates.try_one("a" + std::to_string(i), kStart + 1ms));
    CHECK_FALSE(rates.try_one("busy", kStart + 1ms));
  }
}

TEST_CASE("a flood of addresses takes no more memory and locks nobody out") {
  HandshakeRates rates{1, 50};
  for (int i = 0; i < 10'000; ++i) CHECK(rates.try_one(std::to_string(i), kStart));
  CHECK(rates.addresses() == 50);
  CHECK_FALSE(rates.try_one("9999", kStart));
  CHECK_FALSE(rates.try_one("9950", kStart));
  CHECK(rates.try_one("9949", kStart));  // forgotten
}

TEST_CASE("workers whose clocks were read in another order do not add handshakes") {
  HandshakeRates rates{1};
  CHECK(rates.try_one("a", kStart + 5ms));
  CHECK_FALSE(rates.try_one("a", kStart));
  CHECK_FALSE(rates.try_one("a", kStart + 1s));
  CHECK(rates.try_one("a", kStart + 1006ms));
}

}  // namespace
}  // namespace wsproxy::proxy
