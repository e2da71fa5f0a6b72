#include "telemetry/quantile.hpp"

#include <array>

#include <catch2/catch.hpp>

using namespace wsproxy::telemetry;

namespace {
constexpr std::array<std::uint64_t, 3> kBounds{10, 20, 40};
}

TEST_CASE("without an observation there is no quantile") {
  CHECK(!quantile(Histogram<kBounds>{}, 0.5));
}

TEST_CASE("a quantile lies between the bounds of its bucket, as far along as its rank") {
  Histogram<kBounds> histogram;
  histogram.observe(15, 10);
  CHECK(*quantile(histogram, 0.5) == Approx(15));
  CHECK(*quantile(histogram, 0.1) == Approx(11));
  CHECK(*quantile(histogram, 1) == Approx(20));
  CHECK(*quantile(histogram, 0) == Approx(10));
  histogram.observe(5, 10);
  CHECK(*quantile(histogram, 0.25) == Approx(5));
  CHECK(*quantile(histogram, 0.5) == Approx(10));
  CHECK(*quantile(histogram, 0.75) == Approx(15));
  histogram.observe(30, 20);
  CHECK(*quantile(histogram, 0.75) == Approx(30));
}

TEST_CASE("empty buckets hold no quantile") {
  Histogram<kBounds> histogram;
  histogram.observe(30, 4);
  CHECK(*quantile(histogram, 0) == Approx(20));
  CHECK(*quantile(histogram, 0.5) == Approx(30));
}

TEST_CASE("what is above the last bound is told as that bound") {
  Histogram<kBounds> histogram;
  histogram.observe(1, 98);
  histogram.observe(1000, 2);
  CHECK(*quantile(histogram, 0.99) == Approx(40));
  CHECK(*quantile(histogram, 0.5) < 10);
}

TEST_CASE("a quantile of an interval is that of what came since") {
  Histogram<kBounds> before;
  before.observe(35, 1000);
  Histogram<kBounds> now = before;
  now.observe(5, 10);
  const Histogram<kBounds> since = now.since(before);
  CHECK(since.sum() == 50);
  CHECK(*quantile(since, 0.99) < 10);
  CHECK(!quantile(now.since(now), 0.5));
}

TEST_CASE("what has fewer observations than an earlier copy is not of the same making: all of it is new") {
  Histogram<kBounds> before;
  before.observe(5, 3);
  Histogram<kBounds> now;
  now.observe(5);
  now.observe(15);
  CHECK(now.since(before).sum() == 20);
}
