#include "deflate/history_shelf.hpp"

#include <deque>
#include <optional>

#include <catch2/catch.hpp>

#include "deflate/history.hpp"
#include "unit/deflate/plain_zlib.hpp"

namespace wsproxy::deflate {
namespace {

using Keep = History::Keep;

std::string text_of(History& history) {
  return std::string{base::as_text(history.text())};
}

/// A worker's shelf and histories that move no more.
struct Bench final : private Budget::Relief {
  explicit Bench(std::size_t memory = std::size_t{64} << 20) : budget(memory) {}
  History& make(Keep keep, std::size_t text_size, std::size_t reach = 4096) {
    histories.emplace_back(reach, keep, shelf);
    histories.back().append(base::as_bytes(texts.chats(text_size)));
    return histories.back();
  }
  void rounds(int count) {
    for (; count > 0; --count) shelf.sweep(1000);
  }
  /// From now on the budget asks the shelf, whoever wants memory.
  void relieve() { budget.set_relief(this); }
  void make_room(std::size_t bytes) override { shelf.reclaim(bytes); }

  Budget budget;
  HistoryShelf shelf{budget};
  std::deque<History> histories;
  test::Texts texts{1};
};

TEST_CASE("A history that nobody used for two rounds is kept compressed, and any use wakes it") {
  Bench bench;
  for (const Keep keep : {Keep::may_forget, Keep::must_keep}) {
    History& history = bench.make(keep, 4000);
    const std::string text = text_of(history);
    history.set_stamp(4);
    bench.rounds(2);
    CHECK_FALSE(history.is_asleep());
    bench.rounds(1);
    REQUIRE(history.is_asleep());
    CHECK(history.memory() < 2048);
    CHECK(history.size() == 4000);
    CHECK(bench.shelf.counts().asleep == 1);

    CHECK(text_of(history) == text);
    CHECK_FALSE(history.is_asleep());
    CHECK(history.memory() == 4352);
    CHECK(history.stamp() == 4);
    CHECK(bench.shelf.counts().asleep == 0);

    bench.rounds(3);
    REQUIRE(history.is_asleep());
    history.append(base::as_bytes("good morning"));
    CHECK(text_of(history) == text + "good morning");
    bench.rounds(3);
    history.append(base::as_bytes(std::string(5000, 'x')));
    CHECK(text_of(history) == std::string(4096, 'x'));
    history.forget();
  }
  bench.rounds(2);
  CHECK(bench.budget.used() == 0);
}

TEST_CASE("What is used in every second round stays awake") {
  Bench bench;
  History& history = bench.make(Keep::may_forget, 4000);
  for (int i = 0; i < 10; ++i) {
    bench.rounds(2);
    CHECK_FALSE(history.is_asleep());
    static_cast<void>(history.text());
  }
}

TEST_CASE("Text under a KB, or that does not shrink by a quarter, stays as it is") {
  Bench bench;
  History& small = bench.make(Keep::must_keep, 1023);
  History& noise = bench.make(Keep::must_keep, 0);
  const std::string text = bench.texts.noise(2100);
  noise.append(base::as_bytes(text));
  bench.rounds(5);
  CHECK_FALSE(small.is_asleep());
  CHECK_FALSE(noise.is_asleep());
  CHECK(noise.memory() == 2100);  // what it would grow into is given back all the same
  CHECK(text_of(noise) == text);
  noise.append(base::as_bytes(std::string(1900, 'x')));
  bench.rounds(5);
  CHECK(noise.is_asleep());
  CHECK(text_of(noise) == text + std::string(1900, 'x'));
}

TEST_CASE("Histories of every size survive sleep, whatever is in them") {
  Bench bench;
  for (const std::size_t reach : {1024u, 4096u, 5000u, 32768u}) {
    for (const std::size_t size : {1024u, 1025u, 4095u, 32768u}) {
      for (const bool runs : {false, true}) {
        History& history = bench.make(Keep::must_keep, 0, reach);
        const auto all = runs ? bench.texts.runs(size) : bench.texts.chats(size);
        for (std::size_t at = 0; at < all.size(); at += 700)
          history.append(base::as_bytes(std::string_view{all}.substr(at, 700)));
        bench.rounds(3);
        REQUIRE(history.is_asleep());
        REQUIRE(text_of(history) == all.substr(all.size() - std::min(all.size(), reach)));
      }
    }
  }
}

TEST_CASE("A sweep does no more than its steps and goes on there the next time") {
  Bench bench;
  for (int i = 0; i < 50; ++i) bench.make(Keep::may_forget, 4000);
  bench.make(Keep::may_forget, 32768, 32768);
  bench.rounds(2);
  for (const std::size_t asleep : {10u, 20u, 30u, 40u, 50u, 51u}) {
    bench.shelf.sweep(10);
    CHECK(bench.shelf.counts().asleep == asleep);
  }
  // A look at an awake one is no step, but is not free either.
  Bench busy;
  for (int i = 0; i < 100; ++i) busy.make(Keep::may_forget, 500);
  busy.make(Keep::may_forget, 4000);
  busy.rounds(2);
  for (const std::size_t asleep : {0u, 0u, 1u}) {
    busy.shelf.sweep(3);
    CHECK(busy.shelf.counts().asleep == asleep);
  }
}

TEST_CASE("A sweep says what it gave back, and the codec goes when it has nothing more to do") {
  Bench bench;
  bench.make(Keep::may_forget, 4000);
  const std::size_t awake = bench.budget.used();
  bench.rounds(2);
  const std::size_t given_back = bench.shelf.sweep(10);
  CHECK(given_back == awake - bench.histories[0].memory());
  const std::size_t codec = bench.budget.used() - bench.histories[0].memory();
  CHECK(codec > 10'000);
  CHECK(codec == bench.shelf.sweep(10));
  CHECK(bench.shelf.sweep(10) == 0);
  CHECK(bench.budget.used() == bench.histories[0].memory());
}

TEST_CASE("A history that is shortened, moved or gone while it sleeps leaves no trace") {
  Bench bench;
  {
    std::optional<History> first{std::in_place, 4096, Keep::must_keep, bench.shelf};
    const std::string text = bench.texts.chats(4000);
    first->append(base::as_bytes(text));
    bench.rounds(3);
    REQUIRE(first->is_asleep());
    History second{std::move(*first)};
    first.reset();
    CHECK(bench.shelf.counts().held == 1);
    second.set_reach(8000);
    CHECK(second.is_asleep());
    CHECK(text_of(second) == text);
    bench.rounds(3);
    second.set_reach(1500);
    CHECK(text_of(second) == text.substr(2500));
    bench.rounds(3);
    REQUIRE(second.is_asleep());
  }
  CHECK(bench.shelf.counts().held == 0);
  CHECK(bench.shelf.counts().asleep == 0);
  bench.rounds(2);
  CHECK(bench.budget.used() == 0);
}

TEST_CASE("Over the budget the coldest senders' histories shrink to a quarter, then are dropped") {
  Bench bench{56'700};
  bench.make(Keep::must_keep, 4096);
  for (int i = 0; i < 12; ++i) bench.make(Keep::may_forget, 4096);
  REQUIRE(bench.budget.free() < 128);
  // Nothing is colder than what has been used since the last sweep.
  CHECK_FALSE(bench.shelf.reclaim(4352));
  CHECK(bench.shelf.counts().shrunk == 0);

  static_cast<void>(bench.shelf.sweep(0));
  for (std::size_t i = 0; i < 7; ++i) static_cast<void>(bench.histories[i].text());
  History& fresh = bench.make(Keep::may_forget, 4096);
  CHECK(fresh.size() == 4096);
  CHECK(bench.shelf.counts().shrunk == 2);
  CHECK(bench.histories[12].memory() == 1088);
  CHECK(bench.histories[12].size() == 1088);

  CHECK(bench.shelf.reclaim(15'000));
  CHECK(bench.shelf.counts().shrunk == 6);
  CHECK(bench.shelf.counts().dropped == 0);
  CHECK(bench.shelf.reclaim(18'000));
  CHECK(bench.shelf.counts().dropped > 0);
  CHECK_FALSE(bench.shelf.reclaim(50'000));
  CHECK(bench.shelf.counts().dropped == 6);
  CHECK(bench.shelf.counts().held == 8);
  for (std::size_t i = 0; i < 7; ++i) CHECK(bench.histories[i].size() == 4096);
}

TEST_CASE("The longest unused are sacrificed first") {
  Bench bench{27'000};
  for (int i = 0; i < 6; ++i) bench.make(Keep::may_forget, 4096);
  for (int i = 0; i < 8; ++i) static_cast<void>(bench.shelf.sweep(0));
  for (std::size_t i = 0; i < 5; ++i) static_cast<void>(bench.histories[i].text());
  static_cast<void>(bench.shelf.sweep(0));
  CHECK(bench.shelf.reclaim(3000));
  CHECK(bench.histories[5].memory() == 1088);
}

TEST_CASE("Without memory a sleeping sender's history is forgotten, a receiver's wakes all the same") {
  Bench bench{1 << 20};
  History& sender = bench.make(Keep::may_forget, 4000);
  History& receiver = bench.make(Keep::must_keep, 4000);
  const std::string text = text_of(receiver);
  bench.rounds(3);
  REQUIRE(sender.is_asleep());
  REQUIRE(receiver.is_asleep());
  bench.budget.reserve(1 << 20);
  CHECK(sender.text().empty());
  CHECK(sender.memory() == 0);
  CHECK(text_of(receiver) == text);
  bench.budget.release(1 << 20);
}

TEST_CASE("The codec that puts histories to sleep may take its memory from these") {
  for (const std::size_t free : {std::size_t{0}, std::size_t{3000}}) {
    Bench bench;
    bench.relieve();
    History& history = bench.make(Keep::may_forget, 4000);
    const std::string text = text_of(history);
    const std::size_t others = bench.budget.free() - free;
    bench.budget.reserve(others);
    bench.rounds(12);
    CHECK(text.ends_with(text_of(history)));
    history.forget();
    bench.rounds(2);
    CHECK(bench.budget.used() == others);
  }
}

TEST_CASE("A sleeping history that wakes to be shortened is not sacrificed for that") {
  Bench bench;
  bench.relieve();
  for (int i = 0; i < 8; ++i) bench.make(Keep::may_forget, 8000, 8192);
  History& history = bench.histories.back();
  const std::string text = text_of(history);
  bench.rounds(3);
  REQUIRE(history.is_asleep());
  bench.budget.reserve(bench.budget.free());
  history.set_reach(4096);
  CHECK(text_of(history) == text.substr(text.size() - 4096));
}

TEST_CASE("A search for memory is short, also when there is none to be had") {
  Bench bench{4'000'000};
  for (int i = 0; i < 700; ++i) bench.make(Keep::may_forget, 4096);
  static_cast<void>(bench.shelf.sweep(0));
  // 64 histories a call, and each of the four stages once a round.
  CHECK_FALSE(bench.shelf.reclaim(3'999'999));
  CHECK(bench.shelf.counts().shrunk == 0);
  int calls = 1;
  while (bench.shelf.counts().held > 0 && calls < 1000) {
    bench.shelf.reclaim(3'999'999);
    ++calls;
  }
  CHECK(bench.shelf.counts().shrunk == 700);
  CHECK(bench.shelf.counts().dropped == 700);
  CHECK(calls < 4 * 700 / 64 + 3);
}

TEST_CASE(
    "Any interleaving of uses, rounds and shortage leaves every text as it was or shorter at its front") {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    INFO(seed);
    Bench bench{300'000};
    if (seed % 2 == 0) bench.relieve();
    test::Texts dice{seed};
    std::vector<std::string> expected;
    for (std::size_t i = 0; i < 40; ++i) {
      bench.make(i % 2 == 0 ? Keep::must_keep : Keep::may_forget, 0, 1000 + dice.below(16000));
      expected.emplace_back();
    }
    for (int step = 0; step < 2000; ++step) {
      const std::size_t i = dice.below(40);
      History& history = bench.histories[i];
      switch (dice.below(12)) {
        case 0:
          bench.shelf.sweep(dice.below(10));
          break;
        case 1:
          history.shrink_to(dice.below(4000));
          break;
        case 2:
          bench.shelf.reclaim(dice.below(100'000));
          break;
        case 3:
          history.set_reach(1000 + dice.below(16000));
          break;
        default:
          if (!dice.one_in(3)) break;
          const std::string piece = dice.any();
          history.append(base::as_bytes(piece));
          expected[i] += piece;
      }
      const std::size_t most = std::min(expected[i].size(), history.reach());
      expected[i].erase(0, expected[i].size() - most);
      if (!dice.one_in(4)) continue;
      const std::string text = text_of(history);
      REQUIRE(expected[i].ends_with(text));
      if (i % 2 == 0) REQUIRE(text.size() == most);
    }
    for (History& history : bench.histories) history.forget();
    CHECK(bench.shelf.counts().held == 0);
    CHECK(bench.shelf.counts().asleep == 0);
    bench.rounds(2);
    CHECK(bench.budget.used() == 0);
  }
}

}  // namespace
}  // namespace wsproxy::deflate
