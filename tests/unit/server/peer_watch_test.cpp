#include "server/peer_watch.hpp"

#include <deque>

#include <catch2/catch.hpp>

using namespace wsproxy;
using namespace std::chrono_literals;

namespace {

/// Two workers that answer when a test says so.
class Rig {
 public:
  Rig() : watch({source(), source()}) {}

  void answer(std::size_t open) {
    proxy::PeerTables tables;
    tables.open = open;
    promises.front().set_value(tables);
    promises.pop_front();
  }
  std::size_t open(std::chrono::milliseconds at) {
    return watch.report(kStart + at, kStart + at).tables.open;
  }

  std::deque<std::promise<proxy::PeerTables>> promises;  // of questions that have no answer yet
  std::size_t asked = 0;
  server::PeerWatch watch;

 private:
  static constexpr net::Clock::time_point kStart{1000s};
  server::PeerWatch::Source source() {
    return [this] {
      ++asked;
      return promises.emplace_back().get_future();
    };
  }
};

}  // namespace

TEST_CASE("nobody looks at connections before somebody asks") {
  const Rig rig;
  CHECK(rig.asked == 0);
}

TEST_CASE("who asks gets the sum of the workers, and others within two seconds the same") {
  Rig rig;
  CHECK(rig.open(0ms) == 0);
  CHECK(rig.asked == 2);
  rig.answer(3);
  CHECK(rig.open(10ms) == 0);
  rig.answer(4);
  CHECK(rig.open(20ms) == 7);
  for (int i = 0; i < 100; ++i) CHECK(rig.open(30ms) == 7);
  CHECK(rig.open(1999ms) == 7);
  CHECK(rig.asked == 2);
  CHECK(rig.open(2000ms) == 7);
  CHECK(rig.asked == 4);
  rig.answer(1);
  rig.answer(1);
  CHECK(rig.open(2001ms) == 2);
}

TEST_CASE("a worker that takes long is not asked again meanwhile, and what was known stays") {
  Rig rig;
  rig.open(0ms);
  rig.answer(3);
  rig.answer(4);
  CHECK(rig.open(1ms) == 7);
  CHECK(rig.open(5000ms) == 7);
  CHECK(rig.open(60'000ms) == 7);
  CHECK(rig.asked == 4);
  rig.answer(5);
  rig.answer(5);
  CHECK(rig.open(60'001ms) == 10);
}

TEST_CASE("when connections were looked at is told") {
  Rig rig;
  CHECK(rig.watch.report({}, {}).as_of == std::chrono::system_clock::time_point{});
  rig.answer(1);
  rig.answer(1);
  CHECK(std::chrono::abs(rig.watch.report({}, {}).as_of - std::chrono::system_clock::now()) < 1min);
}
