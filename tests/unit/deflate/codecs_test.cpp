#include "deflate/codecs.hpp"

#include <deque>
#include <utility>

#include <catch2/catch.hpp>

#include "deflate/history.hpp"
#include "unit/deflate/plain_zlib.hpp"

namespace wsproxy::deflate {
namespace {

/// A worker whose memory is full of histories that have not been used for some rounds.
struct FullWorker {
  explicit FullWorker(int unused_rounds) {
    for (std::size_t i = 0; i < kHistories; ++i) {
      sent.push_back(texts.chats(kReach));
      histories.emplace_back(kReach, History::Keep::may_forget, codecs.shelf);
      histories.back().append(base::as_bytes(sent.back()));
    }
    // Without steps a sweep only counts the round.
    for (int i = 0; i < unused_rounds; ++i) codecs.end_round(0);
  }
  ~FullWorker() {
    histories.clear();
    // What is left is what the worker keeps for the next message.
    for (int i = 0; i < 3; ++i) codecs.end_round(100);
    CHECK(codecs.budget.used() == 0);
  }

  static constexpr std::size_t kReach = 32768;
  static constexpr std::size_t kHistories = 8;
  Codecs codecs{{.memory = kHistories * (kReach + kReach / 16) + 1024}};
  std::deque<History> histories;
  std::vector<std::string> sent;
  test::Texts texts{1};
};

TEST_CASE("The codec that puts histories to sleep takes no memory from the one it is for") {
  for (const int unused_rounds : {2, 7, 9}) {
    FullWorker worker{unused_rounds};
    worker.codecs.end_round(1000);
    for (std::size_t i = 0; i < worker.histories.size(); ++i) {
      const std::string text{base::as_text(worker.histories[i].text())};
      INFO("history " << i << " after " << unused_rounds << " rounds has " << text.size() << " bytes");
      CHECK(worker.sent[i].ends_with(text));
    }
  }
}

TEST_CASE("What clients may refer to is promised memory before any of it is used") {
  Codecs codecs{{.memory = 65536}};
  CHECK(codecs.free_for_promises() == 49152);
  {
    History first{32768, History::Keep::must_keep, codecs.shelf};
    CHECK(codecs.free_for_promises() == 16384);
    const History second{std::move(first)};
    const History sent{32768, History::Keep::may_forget, codecs.shelf};
    CHECK(codecs.free_for_promises() == 16384);
    const History third{32768, History::Keep::must_keep, codecs.shelf};
    CHECK(codecs.free_for_promises() == 0);
  }
  CHECK(codecs.free_for_promises() == 49152);
}

}  // namespace
}  // namespace wsproxy::deflate
