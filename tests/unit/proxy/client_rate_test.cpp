#include "proxy/client_rate.hpp"

#include <catch2/catch.hpp>

using namespace wsproxy;
using namespace std::chrono_literals;
using proxy::ClientRate;
using relay::Allowance;

namespace {

const ClientRate::Clock::time_point kStart{1000s};

config::Limits limits(std::uint32_t messages, std::uint64_t bytes, std::uint32_t control_frames) {
  config::Limits limits;
  limits.messages_per_second = messages;
  limits.bytes_per_second = bytes;
  limits.control_frames_per_second = control_frames;
  return limits;
}

/// Takes all that is allowed, as a client does that always has more.
std::int64_t take_messages(ClientRate& rate, ClientRate::Clock::time_point now) {
  const Allowance given = rate.allowance(now);
  Allowance left = given;
  left.messages = 0;
  rate.charge(given, left, now);
  return given.messages;
}

}  // namespace

TEST_CASE("Without limits everything is allowed and nothing is waited for") {
  ClientRate rate(limits(0, 0, 0), kStart);
  CHECK(rate.allowance(kStart) == Allowance{});
  rate.charge({}, {Allowance::kNoLimit - 1'000'000, Allowance::kNoLimit - 1'000'000, 0}, kStart);
  CHECK(rate.allowance(kStart) == Allowance{});
  CHECK(rate.wait(kStart) == 0s);
  CHECK(rate.exceeded(kStart).empty());
}

TEST_CASE("Each limit is a second's worth at once, and by the one over it something is owed") {
  ClientRate rate(limits(10, 5000, 3), kStart);
  const Allowance given = rate.allowance(kStart);
  CHECK(given == Allowance{11, 5001, 4});
  rate.charge(given, {1, 1, 1}, kStart);
  CHECK(rate.wait(kStart) == 0s);
  CHECK(rate.allowance(kStart) == Allowance{1, 1, 1});

  const auto after = [&](Allowance left) {
    ClientRate full(limits(10, 5000, 3), kStart);
    full.charge(given, left, kStart);
    return std::pair{full.wait(kStart), full.exceeded(kStart)};
  };
  CHECK(after({0, 5001, 4}) ==
        std::pair<ClientRate::Clock::duration, std::string_view>{100ms, "limits.messages_per_second"});
  CHECK(after({11, -4999, 4}) ==
        std::pair<ClientRate::Clock::duration, std::string_view>{1s, "limits.bytes_per_second"});
  CHECK(after({11, 5001, 0}).second == "limits.control_frames_per_second");
  CHECK(after({11, 5001, 0}).first / 1ms == 333);
}

TEST_CASE("While something is owed nothing is allowed, whatever it is") {
  ClientRate rate(limits(10, 0, 3), kStart);
  const Allowance given = rate.allowance(kStart);
  rate.charge(given, {given.messages, given.bytes, 0}, kStart);
  CHECK(rate.allowance(kStart).is_used_up());
  CHECK(rate.allowance(kStart + 333ms).is_used_up());
  CHECK_FALSE(rate.allowance(kStart + 334ms).is_used_up());
}

TEST_CASE("A client that always has more gets its rate in the long run, waiting as it is told") {
  const std::uint32_t per_second = GENERATE(1U, 7U, 100U, 5000U, 100'000U);
  CAPTURE(per_second);
  ClientRate rate(limits(per_second, 0, 0), kStart);
  auto now = kStart;
  std::int64_t taken = 0;
  int rounds = 0;
  while (now < kStart + 10s) {
    taken += take_messages(rate, now);
    const auto wait = rate.wait(now);
    REQUIRE(wait >= 5ms);
    now += wait;
    REQUIRE_FALSE(rate.allowance(now).is_used_up());
    ++rounds;
  }
  const double seconds = std::chrono::duration<double>(now - kStart).count();
  CHECK(taken <= static_cast<std::int64_t>(per_second * (seconds + 1)) + 1);
  CHECK(taken >= static_cast<std::int64_t>(per_second * (seconds + 0.98)));
  CHECK(rounds <= 2001);
}

TEST_CASE("A pause fills it up again, by a second's worth and no more") {
  ClientRate rate(limits(10, 0, 0), kStart);
  CHECK(take_messages(rate, kStart) == 11);
  CHECK(take_messages(rate, kStart + 1h) == 11);
}
