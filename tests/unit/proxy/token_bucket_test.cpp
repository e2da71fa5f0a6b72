#include "proxy/token_bucket.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::proxy {
namespace {

using namespace std::chrono_literals;
using Clock = TokenBucket::Clock;

constexpr Clock::time_point kStart{1000s};

/// Give or take the rounding of doubles.
bool is_about(Clock::duration wait, Clock::duration expected) {
  return wait >= expected - 1us && wait <= expected + 1us;
}

TEST_CASE("a rate of 0 is off: nothing is refused and nothing waited for") {
  TokenBucket bucket{0, 0, kStart};
  CHECK(bucket.is_off());
  CHECK(bucket.try_take(1e12, kStart));
  bucket.charge(1e12, kStart);
  CHECK(bucket.wait(kStart) == 0s);
}

TEST_CASE("the burst is there at once, then what the time brings") {
  TokenBucket bucket{10, 3, kStart};
  CHECK_FALSE(bucket.is_off());
  for (int i = 0; i < 3; ++i) CHECK(bucket.try_take(1, kStart));
  CHECK_FALSE(bucket.try_take(1, kStart));
  CHECK_FALSE(bucket.try_take(1, kStart + 99ms));
  CHECK(bucket.try_take(1, kStart + 101ms));
  CHECK_FALSE(bucket.try_take(1, kStart + 101ms));
}

TEST_CASE("what is tried in vain costs nothing") {
  TokenBucket bucket{10, 3, kStart};
  CHECK_FALSE(bucket.try_take(4, kStart));
  CHECK(bucket.try_take(3, kStart));
}

TEST_CASE("a long pause fills no more than the burst") {
  TokenBucket bucket{10, 3, kStart};
  bucket.charge(3, kStart);
  CHECK(bucket.try_take(3, kStart + 1h));
  CHECK_FALSE(bucket.try_take(0.5, kStart + 1h));
}

TEST_CASE("what is charged over the burst is a debt that the rate pays") {
  TokenBucket bucket{10, 3, kStart};
  bucket.charge(3, kStart);
  CHECK(bucket.wait(kStart) == 0s);
  bucket.charge(10, kStart);
  CHECK(is_about(bucket.wait(kStart), 1s));
  CHECK(is_about(bucket.wait(kStart + 400ms), 600ms));
  CHECK(bucket.wait(kStart + 1001ms) == 0s);
  CHECK_FALSE(bucket.try_take(1, kStart + 1s));
  CHECK(bucket.try_take(1, kStart + 1101ms));
}

TEST_CASE("whoever has waited as long as told is not in debt") {
  for (const double amount : {1.0, 7.3, 1e-9, 12345.678, 1e7}) {
    TokenBucket bucket{30'000, 1, kStart};
    bucket.charge(1 + amount, kStart);
    const auto wait = bucket.wait(kStart);
    CAPTURE(amount, wait.count());
    CHECK(bucket.wait(kStart + wait) <= 1us);
  }
}

TEST_CASE("a debt beyond all measure is waited for in parts") {
  TokenBucket bucket{1, 1, kStart};
  bucket.charge(1e30, kStart);
  CHECK(bucket.wait(kStart) == 1h);
}

TEST_CASE("time that goes back brings and takes nothing") {
  TokenBucket bucket{10, 3, kStart};
  bucket.charge(3, kStart);
  CHECK_FALSE(bucket.try_take(1, kStart - 1h));
  bucket.charge(1, kStart - 1h);
  CHECK(bucket.try_take(1, kStart + 201ms));
  CHECK_FALSE(bucket.try_take(1, kStart + 201ms));
}

}  // namespace
}  // namespace wsproxy::proxy
