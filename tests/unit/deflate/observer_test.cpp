#include "deflate/observer.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "deflate/codecs.hpp"

namespace wsproxy::deflate {
namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kWarmUp = 64;  // messages
constexpr std::uint64_t kTurn = 512;   // messages

/// Time, which each look at it takes some of.
struct Time {
  std::uint64_t now = 0;
  std::uint64_t look = 0;
};
Time& time() {
  static Time of_test;
  return of_test;
}
std::uint64_t clock() {
  return time().now += time().look;
}

std::string chat(std::uint64_t number, std::size_t size = 100) {
  std::string text;
  while (text.size() < size)
    text += "hello to everybody in here, number " + std::to_string(number++ * 7919) + ". ";
  return text.substr(0, size);
}

/// Connections of one worker, every message of which is to be tried.
struct Bench {
  ObserverSettings settings{.every = 1};
  Codecs codecs{{}};
  std::vector<std::unique_ptr<ObservedConnection>> connections;
  std::uint64_t said = 0;

  explicit Bench(std::size_t count = 1) {
    time() = {};
    for (std::size_t i = 0; i < count; ++i) {
      connections.push_back(std::make_unique<ObservedConnection>(settings, codecs.observer));
    }
  }
  /// A message of one connection, in pieces of at most so many bytes.
  Observation says(std::size_t which, const std::string& text, std::size_t piece = std::string::npos) {
    base::Bytes rest = base::as_bytes(text);
    while (rest.size() > piece) {
      CHECK_FALSE(connections[which]->on_piece(rest.first(piece), false, clock));
      rest = rest.subspan(piece);
    }
    const auto observation = connections[which]->on_piece(rest, true, clock);
    REQUIRE(observation);
    CHECK(observation->size == text.size());
    return *observation;
  }
  bool is_tried(std::size_t which) { return says(which, chat(said++)).tried.has_value(); }
  void fill_slots() {
    for (std::size_t i = 0; i < Observer::kSlots; ++i) CHECK(is_tried(i));
    CHECK(codecs.observer.slots_in_use() == Observer::kSlots);
  }
};

}  // namespace

TEST_CASE("Trials take their credit at once, and from then on a part of the time", "[observer]") {
  Bench bench;
  time().look = kMillisecond / 10;
  std::uint64_t spent = 0, dearest = 0;
  const auto observe_for = [&](int messages) {
    for (int i = 0; i < messages; ++i) {
      const Observation one = bench.says(0, chat(bench.said++));
      spent += one.spent;
      dearest = std::max(dearest, one.spent);
    }
  };
  while (spent < Observer::kCredit) observe_for(1);
  CHECK(spent < Observer::kCredit + dearest + time().now / Observer::kPart);
  observe_for(100'000);
  CHECK(time().now > 10'000 * kMillisecond);
  CHECK(spent <= Observer::kCredit + dearest + time().now / Observer::kPart);
  CHECK(spent >= Observer::kCredit - dearest + time().now / Observer::kPart);
}

TEST_CASE("Nothing is tried while the CPU is short, also when no level can be lowered for it", "[observer]") {
  for (const std::uint8_t highest : {std::uint8_t{1}, std::uint8_t{9}}) {
    CAPTURE(int{highest});
    Bench bench;
    bench.codecs.governor = Governor{highest};
    CHECK(bench.is_tried(0));
    for (int i = 0; i < Governor::kBusyRounds; ++i) bench.codecs.governor.observe(1);
    CHECK_FALSE(bench.is_tried(0));
    for (int i = 0; i < Governor::kCalmRounds; ++i) bench.codecs.governor.observe(0);
    CHECK(bench.is_tried(0));
  }
}

TEST_CASE("Silence earns no more than the credit", "[observer]") {
  Bench bench;
  time().now = 3'600'000 * kMillisecond;
  time().look = kMillisecond;
  std::uint64_t spent = 0, tried = 0;
  for (int i = 0; i < 100; ++i) {
    const Observation one = bench.says(0, chat(bench.said++));
    spent += one.spent;
    tried += one.tried ? 1 : 0;
  }
  CHECK(tried < 30);
  CHECK(spent < 2 * Observer::kCredit);
}

TEST_CASE("A connection that is new is tried at once", "[observer]") {
  Bench bench;
  CHECK(bench.is_tried(0));
}

TEST_CASE("A connection that is taken up later is tried once it has a history's worth of text",
          "[observer]") {
  Bench bench(Observer::kSlots + 1);
  const std::size_t late = Observer::kSlots;
  bench.fill_slots();
  CHECK_FALSE(bench.is_tried(late));
  bench.connections[0].reset();
  CHECK(bench.codecs.observer.slots_in_use() == Observer::kSlots - 1);
  SECTION("by many messages") {
    for (std::uint64_t i = 1; i < kWarmUp; ++i) CHECK_FALSE(bench.is_tried(late));
    CHECK(bench.is_tried(late));
  }
  SECTION("by much text") {
    for (std::uint64_t i = 0; i < 32; ++i) CHECK_FALSE(bench.says(late, chat(i, 1024)).tried);
    CHECK(bench.is_tried(late));
  }
}

TEST_CASE("Who comes when all slots are taken is seen and not tried", "[observer]") {
  Bench bench(Observer::kSlots + 1);
  bench.fill_slots();
  const std::size_t held = bench.codecs.budget.used();
  for (std::uint64_t i = 0; i < 2 * kWarmUp; ++i) CHECK_FALSE(bench.is_tried(Observer::kSlots));
  CHECK(bench.codecs.budget.used() == held);
}

TEST_CASE("A slot that is idle for long is taken over", "[observer]") {
  Bench bench(Observer::kSlots + 1);
  const std::size_t late = Observer::kSlots;
  bench.fill_slots();
  time().now = Observer::kIdle;
  for (std::size_t i = 1; i < Observer::kSlots; ++i) CHECK(bench.is_tried(i));
  for (std::uint64_t i = 0; i < 2 * kWarmUp; ++i) CHECK_FALSE(bench.is_tried(late));
  time().now += 1;
  for (std::uint64_t i = 1; i < kWarmUp; ++i) CHECK_FALSE(bench.is_tried(late));
  CHECK(bench.is_tried(late));
  CHECK(bench.codecs.observer.slots_in_use() == Observer::kSlots);
  for (std::uint64_t i = 0; i < 2 * kWarmUp; ++i) CHECK_FALSE(bench.is_tried(0));
  bench.connections.clear();
  bench.codecs.observer.end_round();
  bench.codecs.observer.end_round();
  CHECK(bench.codecs.budget.used() == 0);
}

TEST_CASE("After its turn a connection makes room for one that waits, and only then", "[observer]") {
  Bench bench(Observer::kSlots + 1);
  const std::size_t late = Observer::kSlots;
  bench.fill_slots();
  SECTION("nobody waits") {
    for (std::uint64_t i = 1; i < 2 * kTurn; ++i) CHECK(bench.is_tried(0));
    CHECK(bench.codecs.observer.slots_in_use() == Observer::kSlots);
  }
  SECTION("one waits") {
    CHECK_FALSE(bench.is_tried(late));
    for (std::uint64_t i = 2; i < kTurn; ++i) CHECK(bench.is_tried(0));
    CHECK(bench.codecs.observer.slots_in_use() == Observer::kSlots);
    CHECK(bench.is_tried(0));
    CHECK(bench.codecs.observer.slots_in_use() == Observer::kSlots - 1);
    for (std::uint64_t i = 1; i < kWarmUp; ++i) CHECK_FALSE(bench.is_tried(late));
    CHECK(bench.is_tried(late));
    CHECK_FALSE(bench.is_tried(0));
  }
}

TEST_CASE("A large message is judged by its beginning, however it comes", "[observer]") {
  const std::string beginning = chat(0, Observer::kMostText);
  const std::uint64_t output = Bench{}.says(0, beginning).output;
  CHECK(output < Observer::kMostText / 2);
  const std::string rest(3 * Observer::kMostText, '\0');
  for (const std::size_t piece : {std::string::npos, std::size_t{50'000}}) {
    Bench bench;
    CHECK(bench.is_tried(0));  // pieces are kept of who has a slot
    const Observation observation = bench.says(0, beginning + rest, piece);
    REQUIRE(observation.tried);
    CHECK(observation.output == 4 * output);
  }
}

TEST_CASE("Text of a message that comes in pieces is held as far as it is looked at", "[observer]") {
  Bench bench;
  CHECK(bench.is_tried(0));
  bench.codecs.observer.end_round();
  bench.codecs.observer.end_round();
  const std::size_t idle = bench.codecs.budget.used();
  const std::string piece(50'000, 'x');
  for (int i = 0; i < 100; ++i) bench.connections[0]->on_piece(base::as_bytes(piece), false, clock);
  CHECK(bench.codecs.budget.used() >= idle + Observer::kMostText);
  CHECK(bench.codecs.budget.used() <= idle + 2 * Observer::kMostText);
  bench.connections[0]->on_piece(base::as_bytes(piece), true, clock);
  bench.codecs.observer.end_round();
  bench.codecs.observer.end_round();
  CHECK(bench.codecs.budget.used() == idle);
}

}  // namespace wsproxy::deflate
