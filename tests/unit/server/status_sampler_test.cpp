#include "server/status_sampler.hpp"

#include <catch2/catch.hpp>

#include "support/manual_clock.hpp"

using namespace wsproxy;
using namespace std::chrono_literals;

namespace {

/// Two workers that answer at once, or when a test says so.
class Rig {
 public:
  Rig() : sampler(io) {
    sampler.start({source(), source()});
    test::pass(io, 0s);
  }
  ~Rig() { sampler.stop(); }

  void pass(net::Clock::duration time) { test::pass(io, time); }
  std::size_t samples() { return sampler.past(0, {}).samples.size(); }
  void answer_all() {
    for (const auto& take : std::exchange(waiting, {})) take({});
    test::pass(io, 0s);
  }

  net::IoContext io;
  bool is_stuck = false;
  std::size_t asked = 0;
  std::uint64_t bytes = 0;
  std::vector<server::StatusSampler::Take> waiting;
  server::StatusSampler sampler;

 private:
  server::StatusSampler::Source source() {
    return [this](server::StatusSampler::Take take) {
      ++asked;
      if (is_stuck) {
        waiting.push_back(std::move(take));
        return;
      }
      telemetry::Counters counters;
      counters.traffic.cell({"public", "default"}).relayed[0].payload_bytes = bytes;
      take(std::move(counters));
    };
  }
};

}  // namespace

TEST_CASE("workers are asked every two seconds, and their sum makes a sample") {
  Rig rig;
  CHECK(rig.asked == 2);
  CHECK(rig.samples() == 0);
  rig.bytes = 100;
  rig.pass(2s);
  CHECK(rig.asked == 4);
  REQUIRE(rig.samples() == 1);
  CHECK(rig.sampler.past(0, {}).samples[0].rates[0].payload_bytes == Approx(100));
  rig.pass(1999ms);
  CHECK(rig.samples() == 1);
  rig.pass(1ms);
  CHECK(rig.samples() == 2);
  CHECK(rig.sampler.past(1, {}).samples.size() == 1);
  CHECK(rig.sampler.past(2, {}).last_sample == 2);
}

TEST_CASE("a worker that does not answer is not asked again, and the others' sample waits for it") {
  Rig rig;
  rig.is_stuck = true;
  rig.pass(2s);
  CHECK(rig.asked == 4);
  rig.pass(2s);
  rig.pass(2s);
  CHECK(rig.asked == 4);
  CHECK(rig.samples() == 0);
  rig.is_stuck = false;
  rig.answer_all();
  CHECK(rig.samples() == 1);
  rig.pass(2s);
  CHECK(rig.asked == 6);
  CHECK(rig.samples() == 2);
}

TEST_CASE("an answer that is lost is not waited for") {
  Rig rig;
  rig.is_stuck = true;
  rig.pass(2s);
  rig.waiting.clear();
  rig.is_stuck = false;
  rig.pass(2s);
  CHECK(rig.samples() == 1);
}

TEST_CASE("what is stopped leaves its loop nothing to do") {
  Rig rig;
  rig.sampler.stop();
  rig.pass(2s);
  rig.pass(20s);
  CHECK(rig.asked == 2);
  CHECK(rig.io.poll() == 0);
  CHECK(rig.io.stopped());
}
