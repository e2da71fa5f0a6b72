#include <deque>

#include <catch2/catch.hpp>

#include "deflate/codecs.hpp"
#include "deflate/compressor.hpp"
#include "unit/deflate/plain_zlib.hpp"

namespace wsproxy::deflate {
namespace {

constexpr std::size_t kMemory = std::size_t{4} << 20;

/// A worker with some connections, each with something of its own on the shared histories.
struct Busy {
  Busy() {
    for (int i = 0; i < 20; ++i) {
      test::PeerInflater& peer = peers.emplace_back(std::uint8_t{15}, true);
      Compressor& compressor = compressors.emplace_back(settings, codecs);
      for (int message = 0; message < 3; ++message) send(compressor, peer);
    }
  }

  void send(Compressor& compressor, test::PeerInflater& peer) {
    const std::string text = texts.chat();
    base::ByteQueue scratch;
    const auto outcome = compressor.compress(base::as_bytes(text), scratch);
    if (outcome.bypass == Bypass::none) REQUIRE(peer.message(base::as_text(outcome.packed)) == text);
  }

  Codecs codecs{{.memory = kMemory, .encoders = 4}};
  CompressorSettings settings;
  test::Texts texts{1};
  std::deque<test::PeerInflater> peers;
  std::deque<Compressor> compressors;
};

TEST_CASE("What is given up first are the encoders that stand, and only then what was kept for others") {
  Busy busy;
  REQUIRE(busy.codecs.sacrificed().encoders == 0);
  REQUIRE(busy.codecs.encoders.idle_count() > 0);
  REQUIRE(busy.codecs.budget.try_reserve(busy.codecs.budget.free() + 1));
  CHECK(busy.codecs.sacrificed().encoders > 0);
  CHECK(busy.codecs.sacrificed().frames == 0);

  std::size_t taken = 0;
  while (busy.codecs.sacrificed().frames == 0) {
    const std::size_t more = busy.codecs.budget.free() + 1;
    if (!busy.codecs.budget.try_reserve(more)) break;
    taken += more;
  }
  CHECK(busy.codecs.sacrificed().frames > 0);
  CHECK(taken > 0);
  // Whatever was given up, everybody goes on.
  for (std::size_t i = 0; i < busy.peers.size(); ++i)
    for (int message = 0; message < 3; ++message) busy.send(busy.compressors[i], busy.peers[i]);
}

TEST_CASE("With others having it all, shared histories start afresh less and less often") {
  Busy busy;
  busy.codecs.budget.reserve(kMemory);
  std::uint64_t before = busy.codecs.sacrificed().frames;
  int wipes = 0;
  for (int round = 0; round < 200; ++round) {
    busy.codecs.end_round(1000);
    for (std::size_t i = 0; i < busy.peers.size(); ++i) busy.send(busy.compressors[i], busy.peers[i]);
    const std::uint64_t now = busy.codecs.sacrificed().frames;
    if (now > before + 20) ++wipes;
    before = now;
  }
  CHECK(wipes < 20);
}

}  // namespace
}  // namespace wsproxy::deflate
