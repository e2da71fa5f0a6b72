#include "proxy/turn_share.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::proxy {
namespace {

using namespace std::chrono_literals;
using relay::Allowance;

/// Takes as much as a turn may have, each message at that price; how long the longest of so many turns was.
TurnShare::Duration longest_turn(TurnShare& share, TurnShare::Duration price, int turns) {
  TurnShare::Duration longest{};
  for (int i = 0; i < turns; ++i) {
    const std::int64_t count = share.of({}).messages;
    longest = std::max(longest, count * price);
    share.on_taken(count, count * price);
  }
  return longest;
}

TEST_CASE("What is given bounds a turn when it is less, and bytes are not the turn's business") {
  const TurnShare share;
  CHECK(share.of({3, 1000, 4}) == Allowance{3, 1000, 4});
  CHECK(share.of({}) == Allowance{TurnShare::kFirst, Allowance::kNoLimit, TurnShare::kFirst});
}

TEST_CASE("A turn takes about its length's worth, whatever a message costs") {
  for (const TurnShare::Duration price : {20ns, 1000ns, 30'000ns, 400'000ns}) {
    TurnShare share;
    longest_turn(share, price, 20);
    CHECK(longest_turn(share, price, 20) <= 2 * TurnShare::kLength);
    share.on_taken(0, 0ns);
    CHECK(share.of({}).messages * price * 4 >= std::min(TurnShare::kLength, TurnShare::kMost * price));
  }
}

TEST_CASE("Messages that each cost more than a turn are taken one by one") {
  TurnShare share;
  longest_turn(share, 3ms, 2);
  CHECK(longest_turn(share, 3ms, 20) == 3ms);
}

TEST_CASE("A turn that was long for another reason is soon forgotten") {
  TurnShare share;
  share.on_taken(1, 1s);
  CHECK(share.of({}).messages == 1);
  longest_turn(share, 100ns, 12);
  CHECK(share.of({}).messages >= 4096);
}

TEST_CASE("Few messages that cost little say nothing about many") {
  TurnShare share;
  for (int i = 0; i < 100; ++i) share.on_taken(3, 5us);
  CHECK(share.of({}).messages == TurnShare::kFirst);
}

}  // namespace
}  // namespace wsproxy::proxy
