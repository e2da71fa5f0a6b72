#include "server/recent_latency.hpp"

#include <catch2/catch.hpp>

#include "server/latency_figures.hpp"

using namespace wsproxy;
using namespace std::chrono_literals;
using telemetry::Direction;

namespace {

std::uint64_t count(const telemetry::LatencyHistogram& histogram) {
  std::uint64_t sum = 0;
  for (const std::uint64_t one : histogram.counts()) sum += one;
  return sum;
}

class Rig {
 public:
  telemetry::TrafficTable traffic;
  server::RecentLatency recent;

  void relay(const char* listener, const char* route, std::uint64_t times,
             Direction direction = Direction::to_app) {
    traffic.cell({listener, route}).relay_ns[telemetry::index(direction)].observe(20'000, times);
  }
  /// As the sampler does, every two seconds.
  void pass(std::chrono::seconds time) {
    for (auto left = time; left > 0s; left -= 2s) {
      recent.note(traffic, now_);
      now_ += 2s;
    }
  }
  server::RecentLatency::Result result() const { return recent.of(traffic, now_); }

 private:
  net::Clock::time_point now_{1000s};
};

}  // namespace

TEST_CASE("in the first minute everything is recent") {
  Rig rig;
  rig.relay("public", "default", 5);
  CHECK(count(rig.result().all[1]) == 5);
  rig.pass(50s);
  rig.relay("public", "default", 2);
  CHECK(count(rig.result().all[1]) == 7);
}

TEST_CASE("latency is told by direction, by listener and by route") {
  Rig rig;
  rig.relay("public", "default", 1);
  rig.relay("public", "chat", 10);
  rig.relay("inside", "chat", 100, Direction::to_client);
  const auto result = rig.result();
  CHECK(count(result.all[telemetry::index(Direction::to_app)]) == 11);
  CHECK(count(result.all[telemetry::index(Direction::to_client)]) == 100);
  CHECK(count(result.by_listener.at("public")) == 11);
  CHECK(count(result.by_listener.at("inside")) == 100);
  CHECK(count(result.by_route.at("default")) == 1);
  CHECK(count(result.by_route.at("chat")) == 110);
}

TEST_CASE("what is older than a minute is forgotten, to ten seconds") {
  Rig rig;
  rig.relay("public", "default", 5);
  rig.pass(60s);
  rig.relay("public", "default", 2);
  rig.pass(12s);
  CHECK(count(rig.result().all[1]) == 2);
  CHECK(count(rig.result().by_route.at("default")) == 2);
  rig.pass(36s);
  CHECK(count(rig.result().all[1]) == 2);
  rig.pass(24s);
  CHECK(count(rig.result().all[1]) == 0);
  CHECK_FALSE(server::figures_of(rig.result().by_listener.at("public")).p50);
}

TEST_CASE("a route that goes and comes back is new, and totals do not mind") {
  Rig rig;
  rig.relay("public", "old", 100);
  rig.pass(80s);
  rig.traffic.forget([](const auto&) { return false; });
  CHECK(count(rig.result().all[1]) == 0);
  CHECK(rig.result().by_route.empty());
  rig.relay("public", "old", 3);
  CHECK(count(rig.result().all[1]) == 3);
  CHECK(count(rig.result().by_route.at("old")) == 3);
}

TEST_CASE("figures are seconds") {
  telemetry::LatencyHistogram histogram;
  CHECK_FALSE(server::figures_of(histogram).p99);
  histogram.observe(40'000, 100);
  CHECK(*server::figures_of(histogram).p50 == Approx(37.5e-6));
  CHECK(*server::figures_of(histogram).p99 == Approx(49.75e-6));
}
