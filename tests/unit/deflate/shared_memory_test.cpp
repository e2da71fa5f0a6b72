// What sharing does to the heap: nothing once it goes steadily, and no harm when there is nothing to get.

#include <deque>

#include <catch2/catch.hpp>

#include "deflate/shared_history.hpp"
#include "support/allocations.hpp"
#include "unit/deflate/plain_zlib.hpp"

namespace wsproxy::deflate {
namespace {

using test::PeerInflater;
using test::text_of;
using test::Texts;

struct Worker {
  Budget budget{std::size_t{64} << 20};
  EncoderPool encoders{8, budget};
  SharedHistories histories{encoders, budget, 7, {.reach = 8192, .mark_every = 2048}};
};

/// False when it has to go raw.
bool send(Worker& worker, SharedPlace& place, std::string_view message, base::ByteQueue& out) {
  const base::Bytes text = base::as_bytes(message);
  const base::Bytes known = worker.histories.known(place, text);
  if (!known.empty()) {
    out.append(known);
    return true;
  }
  const Method method = method_for(EngineChoice::automatic, 6, text.size(), true);
  return worker.histories.compress(place, text, worker.histories.hash(text), method, out);
}

TEST_CASE("A feed that goes on steadily allocates nothing") {
  Worker worker;
  {
    std::deque<SharedPlace> places;
    for (int i = 0; i < 20; ++i) places.emplace_back(worker.histories, 15);
    // They come round, but long after they are out of everybody's reach.
    Texts texts{1};
    std::vector<std::string> messages(1000);
    for (std::string& message : messages) message = texts.chat();
    base::ByteQueue out;
    std::size_t allocated = 0;
    for (std::size_t round = 0; round < 5000; ++round) {
      const std::string& text = messages[round % messages.size()];
      const std::size_t before = wsproxy::test::allocation_count();
      for (SharedPlace& place : places) {
        out.clear();
        send(worker, place, text, out);
      }
      if (round % 250 == 249) worker.histories.evict_unused();
      if (round >= 2000) allocated += wsproxy::test::allocation_count() - before;
    }
    // zlib's encoders come in sizes, and a chain that is cut may cross one of them now and then.
    CHECK(allocated <= (has_isal() ? 0U : 30U));
  }
  worker.histories.give_up(true);
  worker.encoders.retire_all();
  CHECK(worker.budget.used() == 0);
}

TEST_CASE("Without memory a message is refused or sent, and what follows is right") {
  std::size_t refused = 0;
  for (std::size_t nth = 0; nth < 300; ++nth) {
    Worker worker;
    Texts texts{static_cast<std::uint32_t>(nth % 7)};
    std::vector<std::string> messages(60);
    for (std::string& message : messages) message = texts.chat();
    std::size_t allocations = 0;
    {
      std::deque<SharedPlace> places;
      std::deque<PeerInflater> peers;
      for (int i = 0; i < 3; ++i) {
        places.emplace_back(worker.histories, 15);
        peers.emplace_back(15, true);
      }
      for (std::size_t i = 0; i < messages.size() * 3; ++i) {
        base::ByteQueue out;
        out.prepare(1024);  // not enough to compress into
        const std::string& message = messages[i % 3 == 2 ? i / 3 / 2 : i / 3];
        bool goes_compressed = false;
        try {
          // Those of the encoders, of the scratch text, of texts and values, one after the other and in rows.
          const wsproxy::test::FailingAllocations fail{allocations, nth, nth + nth % 4};
          goes_compressed = send(worker, places[i % 3], message, out);
        } catch (const std::bad_alloc&) {
          ++refused;
        }
        if (goes_compressed) REQUIRE(peers[i % 3].message(text_of(out)) == message);
      }
    }
    worker.histories.give_up(true);
    worker.encoders.retire_all();
    REQUIRE(worker.budget.used() == 0);
  }
  CHECK(refused > 100);
}

TEST_CASE("An encoder that ran out of memory half way stands nowhere any more") {
  for (const Engine engine : {Engine::zlib, Engine::isal}) {
    if (engine == Engine::isal && !has_isal()) continue;
    Budget budget{std::size_t{64} << 20};
    EncoderPool pool{2, budget};
    History history{32768, History::Keep::may_forget, budget};
    PeerInflater peer{15, true};
    Texts texts{2};
    std::string hard_to_pack = texts.noise(60000);
    for (char& c : hard_to_pack) c = static_cast<char>('0' + (c & 31));
    const EncoderShape shape{{engine, 1}, 15};
    const auto send = [&](const std::string& text) {
      base::ByteQueue out;
      out.prepare(17 << 10);
      if (pool.compress(base::as_bytes(text), shape, &history, out))
        REQUIRE(peer.message(text_of(out)) == text);
    };
    send(texts.chat());
    {
      std::size_t allocations = 0;
      const wsproxy::test::FailingAllocations fail{allocations, 1, 1000};  // not the first room for output
      REQUIRE_THROWS_AS(send(hard_to_pack), std::bad_alloc);
    }
    send(texts.chats(60000));
    send(texts.chat());
  }
}

}  // namespace
}  // namespace wsproxy::deflate
