#include "deflate/history.hpp"

#include <random>

#include <catch2/catch.hpp>

namespace wsproxy::deflate {
namespace {

using Keep = History::Keep;

std::string text_of(History& history) {
  return std::string{base::as_text(history.text())};
}

TEST_CASE("A history is empty and holds no memory before the first message") {
  Budget budget{1 << 20};
  History history{4096, Keep::may_forget, budget};
  CHECK(history.text().empty());
  CHECK(history.reach() == 4096);
  CHECK(history.stamp() == 0);
  CHECK(budget.used() == 0);
}

TEST_CASE("A history keeps exactly the last bytes up to its reach, however they came") {
  std::mt19937 random{7};
  for (const std::size_t reach : {1u, 2u, 255u, 256u, 257u, 1000u, 4096u, 32768u}) {
    Budget budget{1 << 20};
    History history{reach, Keep::must_keep, budget};
    std::string all;
    for (int i = 0; i < 100; ++i) {
      std::string piece(random() % (i % 10 == 0 ? 2 * reach + 2 : reach / 8 + 2), '\0');
      for (char& c : piece) c = static_cast<char>(random());
      history.append(base::as_bytes(piece));
      all += piece;
      REQUIRE(text_of(history) == all.substr(all.size() - std::min(all.size(), reach)));
      REQUIRE(budget.used() <= reach + reach / 16);
    }
  }
}

TEST_CASE("A history's memory doubles from 256 bytes to its reach and a sixteenth, all of it in the budget") {
  Budget budget{1 << 20};
  History history{1000, Keep::may_forget, budget};
  history.append(base::as_bytes("x"));
  CHECK(budget.used() == 256);
  history.append(base::as_bytes(std::string(256, 'x')));
  CHECK(budget.used() == 512);
  history.append(base::as_bytes(std::string(5000, 'x')));
  CHECK(budget.used() == 1062);
  history.forget();
  CHECK(history.text().empty());
  CHECK(budget.used() == 0);
}

TEST_CASE("A history's reach is at most the largest window, and 0 keeps nothing") {
  Budget budget{1 << 20};
  CHECK(History{100000, Keep::may_forget, budget}.reach() == 32768);
  History none{0, Keep::must_keep, budget};
  none.append(base::as_bytes("something"));
  CHECK(none.text().empty());
  CHECK(budget.used() == 0);
}

TEST_CASE("A sender's history that cannot grow keeps what it has memory for, a receiver's keeps all") {
  Budget budget{300};
  History sender{4096, Keep::may_forget, budget};
  sender.append(base::as_bytes("hello"));
  sender.append(base::as_bytes(std::string(250, 'x')));
  CHECK(sender.text().size() == 255);
  sender.append(base::as_bytes("no room"));
  CHECK(text_of(sender) == std::string(233, 'x') + "no room");  // a sixteenth of 256 stays free
  sender.append(base::as_bytes(std::string(600, 'y')));
  CHECK(text_of(sender) == std::string(256, 'y'));
  CHECK(budget.used() == 256);
  sender.forget();
  CHECK(budget.used() == 0);

  budget.reserve(200);
  sender.append(base::as_bytes("no room at all"));
  CHECK(sender.text().empty());
  CHECK(budget.used() == 200);
  budget.release(200);

  History receiver{4096, Keep::must_keep, budget};
  receiver.append(base::as_bytes(std::string(1000, 'x')));
  CHECK(receiver.text().size() == 1000);
  CHECK(budget.used() == 1024);
  CHECK(budget.free() == 0);
}

TEST_CASE("A longer reach keeps the text, a shorter one drops the oldest and its memory") {
  Budget budget{1 << 20};
  std::string all(4096, '\0');
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>(i * 7 + i / 256);
  History history{4096, Keep::must_keep, budget};
  history.append(base::as_bytes(all));
  history.set_stamp(5);
  CHECK(budget.used() == 4352);
  history.set_reach(8192);
  CHECK(history.reach() == 8192);
  CHECK(text_of(history) == all);
  CHECK(history.stamp() == 5);
  history.append(base::as_bytes(all));
  CHECK(text_of(history) == all + all);
  CHECK(budget.used() == 8704);
  history.set_reach(1000);
  CHECK(text_of(history) == all.substr(3096));
  CHECK(history.stamp() == 0);
  CHECK(budget.used() == 1062);
  history.append(base::as_bytes("more"));
  CHECK(text_of(history) == all.substr(3100) + "more");
  history.set_reach(0);
  CHECK(history.text().empty());
  CHECK(budget.used() == 0);
}

TEST_CASE("A sender's history can be shrunk and grows again, a receiver's cannot") {
  Budget budget{1 << 20};
  const std::string text = std::string(3000, 'a') + std::string(1000, 'b');
  for (const Keep keep : {Keep::may_forget, Keep::must_keep}) {
    History history{4096, keep, budget};
    history.append(base::as_bytes(text));
    history.set_stamp(3);
    history.shrink_to(1200);
    const bool shrinks = keep == Keep::may_forget;
    CHECK(text_of(history) == (shrinks ? text.substr(2800) : text));
    CHECK(budget.used() == (shrinks ? 1200 : 4352));
    CHECK(history.stamp() == (shrinks ? 0 : 3));
    history.append(base::as_bytes(std::string(3000, 'c')));
    CHECK(text_of(history) ==
          (shrinks ? text.substr(2800) : text).substr(shrinks ? 104 : 2904) + std::string(3000, 'c'));
    CHECK(history.memory() == 4352);
    history.shrink_to(0);
    CHECK(history.text().empty() == shrinks);
  }
  CHECK(budget.used() == 0);
}

TEST_CASE("Every change of a history clears its stamp") {
  Budget budget{1 << 20};
  History history{4096, Keep::may_forget, budget};
  history.set_stamp(7);
  history.append(base::as_bytes(""));
  CHECK(history.stamp() == 7);
  history.append(base::as_bytes("a"));
  CHECK(history.stamp() == 0);
  history.set_stamp(8);
  history.forget();
  CHECK(history.stamp() == 0);
}

TEST_CASE("A moved history takes its text, stamp and memory along") {
  Budget budget{1 << 20};
  {
    History first{4096, Keep::may_forget, budget};
    first.append(base::as_bytes("hello"));
    first.set_stamp(9);
    History second{std::move(first)};
    CHECK(text_of(second) == "hello");
    CHECK(second.stamp() == 9);
    CHECK(budget.used() == 256);
  }
  CHECK(budget.used() == 0);
}

}  // namespace
}  // namespace wsproxy::deflate
