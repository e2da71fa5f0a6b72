#include "server/status_history.hpp"

#include <catch2/catch.hpp>

using namespace wsproxy;
using namespace std::chrono_literals;
using server::StatusHistory;
using telemetry::Direction;

namespace {

class Rig {
 public:
  telemetry::Counters counters;
  StatusHistory history;

  telemetry::Traffic& cell(const char* route = "default") { return counters.traffic.cell({"public", route}); }
  void tick(net::Clock::duration time = StatusHistory::kInterval) {
    now_ += time;
    date_ += std::chrono::duration_cast<std::chrono::system_clock::duration>(time);
    history.add(counters, now_, date_);
  }
  server::StatusSample newest() { return history.since(history.last() - 1).at(0); }
  std::chrono::system_clock::time_point date() const { return date_; }

 private:
  net::Clock::time_point now_{1000s};
  std::chrono::system_clock::time_point date_{1'700'000'000s};
};

}  // namespace

TEST_CASE("one reading makes no sample") {
  Rig rig;
  CHECK(rig.history.last() == 0);
  rig.tick();
  CHECK(rig.history.last() == 0);
  CHECK(rig.history.since(0).empty());
}

TEST_CASE("a sample has what happened in its interval, a second") {
  Rig rig;
  rig.cell().relayed[0].messages[0][0] = 1000;
  rig.counters.compression_input_bytes = 1'000'000;
  rig.counters.compress_ns = 5'000'000'000;
  rig.tick();
  auto& to_client = rig.cell().relayed[telemetry::index(Direction::to_client)];
  to_client.messages[0][1] += 10;
  to_client.messages[1][0] += 4;
  to_client.payload_bytes += 100;
  to_client.wire_bytes[telemetry::index(telemetry::Side::client)] += 50;
  to_client.wire_bytes[telemetry::index(telemetry::Side::app)] += 120;
  auto& to_app = rig.cell("chat").relayed[telemetry::index(Direction::to_app)];
  to_app.messages[1][1] += 2;
  to_app.payload_bytes += 8;
  to_app.wire_bytes[telemetry::index(telemetry::Side::client)] += 6;
  rig.counters.compression_input_bytes += 90;
  rig.counters.compression_output_bytes += 40;
  rig.counters.compress_ns += 100'000'000;
  rig.counters.compression_memory_bytes = 12345;
  rig.counters.listeners["a"].active = 3;
  rig.counters.listeners["b"].active = 4;
  rig.tick();

  const server::StatusSample sample = rig.newest();
  CHECK(sample.seq == 1);
  CHECK(sample.time == rig.date());
  CHECK(sample.connections == 7);
  CHECK(sample.rates[0].messages == Approx(7));
  CHECK(sample.rates[0].payload_bytes == Approx(50));
  CHECK(sample.rates[0].wire_bytes == Approx(25));
  CHECK(sample.rates[1].messages == Approx(1));
  CHECK(sample.rates[1].payload_bytes == Approx(4));
  CHECK(sample.rates[1].wire_bytes == Approx(3));
  CHECK(sample.saved_bytes == Approx(25));
  CHECK(sample.compress_cpu == Approx(0.05));
  CHECK(sample.compression_memory_bytes == 12345);

  rig.tick();
  CHECK(rig.newest().rates[0].messages == 0);
  CHECK(rig.newest().saved_bytes == 0);
  CHECK(rig.newest().connections == 7);
}

TEST_CASE("a rate is that of the time that has passed, however long it was") {
  Rig rig;
  rig.tick();
  rig.cell().relayed[0].messages[0][0] += 100;
  rig.tick(10s);
  CHECK(rig.newest().rates[0].messages == Approx(10));
  rig.cell().relayed[0].messages[0][0] += 100;
  rig.tick(500ms);
  CHECK(rig.newest().rates[0].messages == Approx(200));
}

TEST_CASE("two readings at the same time make no sample") {
  Rig rig;
  rig.tick();
  rig.tick(0s);
  CHECK(rig.history.last() == 0);
  rig.tick();
  CHECK(rig.history.last() == 1);
}

TEST_CASE("percentiles are those of the interval's messages, both ways, and absent without any") {
  Rig rig;
  rig.cell().relay_ns[0].observe(900'000'000, 1000);
  rig.tick();
  rig.cell().relay_ns[0].observe(20'000, 49);
  rig.cell("chat").relay_ns[1].observe(20'000, 49);
  rig.cell("chat").relay_ns[1].observe(5'000'000, 2);
  rig.tick();
  CHECK(*rig.newest().latency.p50 == Approx(17.65e-6).margin(1e-6));
  CHECK(*rig.newest().latency.p99 == Approx(6.25e-3).margin(1e-3));
  rig.tick();
  CHECK_FALSE(rig.newest().latency.p50);
  CHECK_FALSE(rig.newest().latency.p99);
}

TEST_CASE("what is gone from the configuration does not count a second time") {
  Rig rig;
  rig.cell("old").relayed[0].messages[0][0] = 50;
  rig.tick();
  rig.counters.traffic.forget([](const auto&) { return false; });
  rig.tick();
  CHECK(rig.newest().rates[0].messages == 0);
}

TEST_CASE("ten minutes are kept, numbered without a gap, and told from a number on") {
  Rig rig;
  rig.tick();
  for (std::size_t i = 0; i < StatusHistory::kSamples + 50; ++i) rig.tick();
  CHECK(rig.history.last() == 350);
  const auto all = rig.history.since(0);
  REQUIRE(all.size() == StatusHistory::kSamples);
  CHECK(all.front().seq == 51);
  CHECK(all.back().seq == 350);
  CHECK(rig.history.since(50).size() == 300);
  CHECK(rig.history.since(51).size() == 299);
  CHECK(rig.history.since(349).size() == 1);
  CHECK(rig.history.since(350).empty());
  CHECK(rig.history.since(9999).empty());
}
