#include <catch2/catch.hpp>

#include "deflate/block_header.hpp"
#include "deflate/decoder.hpp"
#include "unit/deflate/dynamic_block.hpp"
#include "unit/deflate/plain_zlib.hpp"

namespace wsproxy::deflate {
namespace {

using test::DynamicBlock;
using test::FixedBlock;
using test::PeerDeflater;
using test::text_of;
using test::Texts;
using End = PeerDeflater::End;
using Lengths = DynamicBlock::Lengths;

constexpr std::size_t kPlenty = std::size_t{1} << 17;

/// A worker's pool, and what one client has sent, twice: for the way of zlib and for the shorter one.
class Bench {
 public:
  explicit Bench(std::uint8_t bits = 15)
      : bits_(bits),
        plain_(std::size_t{1} << bits, History::Keep::must_keep, budget_),
        whole_(std::size_t{1} << bits, History::Keep::must_keep, budget_) {}

  void remember(std::string_view sent) {
    plain_.append(base::as_bytes(sent));
    whole_.append(base::as_bytes(sent));
  }

  /// Whether the shorter way worked. Then it came to the same as the long one, else it left no trace.
  bool agrees(std::string_view payload, std::size_t most = kPlenty) {
    const std::string before{base::as_text(whole_.text())};
    base::ByteQueue expected;
    const bool is_good = inflate_plainly(payload, expected, most);
    base::ByteQueue out;
    const bool done = pool_.inflate_whole(bits_, &whole_, base::as_bytes(payload), out, most);
    if (done) {
      REQUIRE(is_good);
      REQUIRE(expected.size() < most);
      REQUIRE(text_of(out) == text_of(expected));
      REQUIRE(base::as_text(whole_.text()) == base::as_text(plain_.text()));
      text = text_of(out);
    } else {
      REQUIRE(out.empty());
      REQUIRE(base::as_text(whole_.text()) == before);
    }
    // Whatever came of it, both go on from what zlib made of it.
    whole_.forget();
    whole_.append(plain_.text());
    was_good = is_good;
    return done;
  }

  std::string text;  // of the last message that went the shorter way
  bool was_good = false;

 private:
  bool inflate_plainly(std::string_view payload, base::ByteQueue& out, std::size_t most) {
    auto decoder = pool_.begin(bits_, &plain_);
    auto input = base::as_bytes(payload);
    if (decoder.write(input, out, most) != DecodeStatus::needs_input || out.size() >= most) return false;
    return decoder.finish(out, most - out.size()) == DecodeStatus::message_end;
  }

  Budget budget_{std::size_t{64} << 20};
  DecoderPool pool_{2, budget_};
  std::uint8_t bits_;
  History plain_;
  History whole_;
};

/// What a build without ISA-L cannot do is not asked of it.
bool works(bool done) {
  return done == (DecoderPool::has_whole_inflater());
}

TEST_CASE("What clients send takes the shorter way, with takeover, at every window and level") {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    Texts texts{seed};
    const auto bits = static_cast<std::uint8_t>(9 + seed % 7);
    PeerDeflater peer{static_cast<int>(1 + texts.below(9)), bits, static_cast<int>(7 + texts.below(3)), true};
    Bench bench{bits};
    for (int i = 0; i < 30; ++i) {
      const std::string text = texts.any() + texts.chats(texts.below(30'000));
      peer.begin();
      peer.write(text, Z_NO_FLUSH);
      CHECK(works(bench.agrees(peer.finish(texts.one_in(4) ? End::tail_left_in : End::stripped))));
      CHECK(bench.was_good);
      if (DecoderPool::has_whole_inflater()) CHECK(bench.text == text);
    }
  }
}

TEST_CASE("Messages of several blocks, also of more text than two windows, and with flushes in them") {
  for (std::uint32_t seed = 0; seed < 18; ++seed) {
    CAPTURE(seed);
    Texts texts{seed};
    PeerDeflater peer{6, 15, static_cast<int>(1 + seed % 9), true};
    Bench bench{15};
    for (int i = 0; i < 6; ++i) {
      peer.begin();
      std::string all;
      for (std::size_t part = 1 + texts.below(6); part > 0; --part) {
        const std::string text =
            texts.any() + texts.chats(texts.below(25'000)) + texts.noise(texts.below(3000));
        all += text;
        const auto flush = texts.below(5);
        peer.write(text, flush == 0   ? Z_SYNC_FLUSH
                         : flush == 1 ? Z_PARTIAL_FLUSH
                         : flush == 2 ? Z_FULL_FLUSH
                                      : Z_NO_FLUSH);
      }
      const std::string payload = peer.finish(End::stripped);
      const bool done = bench.agrees(payload, 1 << 18);
      CHECK(bench.was_good);
      if (seed % 9 >= 7) CHECK(works(done));  // memory levels of browsers: few blocks
    }
  }
}

TEST_CASE("A limit is exact: text of as many bytes does not take the shorter way") {
  const std::string text = Texts{1}.chats(5000);
  PeerDeflater peer{6, 15, 8, false};
  const std::string payload = peer.message(text);
  CHECK(works(Bench{}.agrees(payload, 5001)));
  CHECK_FALSE(Bench{}.agrees(payload, 5000));
  CHECK_FALSE(Bench{}.agrees(payload, 4999));
  CHECK_FALSE(Bench{}.agrees(payload, 1));
  CHECK_FALSE(Bench{}.agrees(FixedBlock{}.literals("abc").done(), 3));
}

TEST_CASE("A block with BFINAL set is zlib's to judge, wherever it is") {
  PeerDeflater peer{6, 15, 8, true};
  Bench bench;
  Texts texts{2};
  for (const auto end : {End::final_block, End::final_block_and_zero_octet}) {
    peer.begin();
    peer.write(texts.chats(2000), Z_NO_FLUSH);
    CHECK_FALSE(bench.agrees(peer.finish(end)));
    CHECK(bench.was_good);
    peer.begin();
    peer.write(texts.chats(2000), Z_SYNC_FLUSH);
    peer.end_final_block();
    peer.write(texts.chats(2000), Z_NO_FLUSH);
    CHECK_FALSE(bench.agrees(peer.finish(End::stripped)));
    CHECK(bench.was_good);
    CHECK(works(bench.agrees(peer.message(texts.chats(2000)))));
  }
}

TEST_CASE("A distance reaches as far as it does for zlib: the agreed window and the message so far") {
  Texts texts{3};
  for (std::uint8_t bits = 8; bits <= 15; ++bits) {
    CAPTURE(bits);
    const std::uint32_t window = 1u << bits;
    Bench bench{bits};
    bench.remember(texts.noise(window + 1000));
    CHECK(works(bench.agrees(FixedBlock{}.match(window).done())));
    if (bits == 15) continue;
    CHECK_FALSE(bench.agrees(FixedBlock{}.match(window + 1).done()));
    CHECK_FALSE(bench.was_good);
    CHECK_FALSE(bench.agrees(FixedBlock{}.literals("abc").match(window + 4).done()));
    CHECK(works(bench.agrees(FixedBlock{}.literals("abc").match(window + 3).done())));
    // In the message's second block as well.
    const auto first = FixedBlock{}.literals("abc").done() + std::string(
                                                                 "\x03\x00\xfc\xff"
                                                                 "def",
                                                                 7);
    CHECK(works(bench.agrees(first + FixedBlock{}.match(window + 6).done())));
    CHECK_FALSE(bench.agrees(first + FixedBlock{}.match(window + 7).done()));
    CHECK_FALSE(bench.was_good);
  }
  Bench empty;
  CHECK_FALSE(empty.agrees(FixedBlock{}.match(1).done()));
  CHECK_FALSE(empty.agrees(FixedBlock{}.literals("abc").match(4).done()));
  CHECK(works(Bench{}.agrees(FixedBlock{}.literals("abc").match(3).done())));
}

TEST_CASE("Codes that are not complete are zlib's to judge: ISA-L would take them") {
  // 256 symbols of 8 bits leave no code for the end; with 9 bits for two of them it is complete.
  Lengths complete(257, 8);
  complete[255] = complete[256] = 9;
  const Lengths two{1, 1};
  const auto block = [](const Lengths& literals, const Lengths& distances, const Lengths& of_lengths) {
    return DynamicBlock{literals, distances, of_lengths}.symbol('a').symbol('b').symbol(256).done();
  };
  CHECK(works(Bench{}.agrees(block(complete, two, DynamicBlock::kFlat))));

  Lengths without_a_literal = complete;
  without_a_literal[7] = 0;
  Lengths over = complete;
  over[256] = 8;
  Lengths no_end = complete;
  no_end[255] = 8;
  no_end[256] = 0;
  Lengths loose = DynamicBlock::kFlat;
  loose[17] = 0;
  for (const auto& literals : {without_a_literal, over, no_end}) {
    CHECK_FALSE(Bench{}.agrees(block(literals, two, DynamicBlock::kFlat)));
  }
  CHECK_FALSE(Bench{}.agrees(block(complete, {1, 2}, DynamicBlock::kFlat)));
  CHECK_FALSE(Bench{}.agrees(block(complete, {1, 1, 1}, DynamicBlock::kFlat)));
  CHECK_FALSE(Bench{}.agrees(block(complete, two, loose)));
  // One distance code, or none, is good for zlib.
  for (const auto& distances : {Lengths{1}, Lengths{0}}) {
    Bench bench;
    CHECK_FALSE(bench.agrees(block(complete, distances, DynamicBlock::kFlat)));
    CHECK(bench.was_good);
  }
}

TEST_CASE("Blocks of any codes at all, of any bits: never another result than zlib's") {
  const std::string noise = Texts{5}.noise(40'000);
  int done = 0;
  for (std::uint32_t seed = 0; seed < 800; ++seed) {
    CAPTURE(seed);
    Texts dice{seed};
    // Complete codes, of which some are then spoiled.
    const auto lengths = [&dice](std::size_t symbols) {
      Lengths all{1, 1};
      while (all.size() < symbols) {
        const std::size_t at = dice.below(all.size());
        if (all[at] == 15) continue;
        all.push_back(++all[at]);
      }
      if (dice.one_in(6)) all[dice.below(all.size())] = static_cast<std::uint8_t>(dice.below(16));
      return all;
    };
    const auto literals = lengths(257 + dice.below(30));
    const auto distances = lengths(2 + dice.below(29));
    auto of_lengths = DynamicBlock::kFlat;
    if (dice.one_in(10)) of_lengths[dice.below(19)] = static_cast<std::uint8_t>(dice.below(8));
    DynamicBlock block{literals, distances, of_lengths};
    for (std::size_t i = dice.below(200); i > 0; --i) {
      if (dice.one_in(3)) {
        block.bits(static_cast<std::uint32_t>(dice.below(1u << 16)),
                   1 + static_cast<std::uint32_t>(dice.below(16)));
      } else {
        block.symbol(dice.below(257));
      }
    }
    if (!dice.one_in(5)) block.symbol(256);
    Bench bench{static_cast<std::uint8_t>(8 + dice.below(8))};
    bench.remember(std::string_view{noise}.substr(dice.below(40'000)));
    if (bench.agrees(block.done())) ++done;
  }
  if (DecoderPool::has_whole_inflater()) CHECK(done > 80);
}

TEST_CASE("Truncated and corrupted messages: never another result than zlib's, and the next one is fine") {
  for (std::uint32_t seed = 0; seed < 25; ++seed) {
    CAPTURE(seed);
    Texts dice{seed};
    PeerDeflater peer{6, 15, static_cast<int>(1 + dice.below(9)), false};
    const auto payload = peer.message(dice.chats(500 + dice.below(8000)) + dice.any());
    const auto good_text = dice.chats(3000);
    const auto good = peer.message(good_text);
    Bench bench{static_cast<std::uint8_t>(8 + dice.below(8))};
    bench.remember(dice.chats(5000));
    for (int i = 0; i < 40; ++i) {
      std::string bad = payload;
      if (dice.one_in(3)) bad.resize(dice.below(bad.size()));
      for (std::size_t flips = dice.below(4); flips > 0 && !bad.empty(); --flips) {
        char& byte =
            bad[dice.one_in(2) ? dice.below(std::min<std::size_t>(80, bad.size())) : dice.below(bad.size())];
        byte = static_cast<char>(byte ^ (1 << dice.below(8)));
      }
      if (dice.one_in(10)) bad += dice.noise(dice.below(10));
      bench.agrees(bad);
      // Of another connection on the same worker.
      REQUIRE(works(bench.agrees(good)));
      REQUIRE(bench.was_good);
    }
  }
}

TEST_CASE("A message of very many blocks is left to zlib") {
  const std::string two_blocks = FixedBlock{}.literals("abc").done() + test::kTail;
  std::string many;
  for (int i = 0; i < 8; ++i) many += two_blocks;
  Bench bench;
  CHECK(works(bench.agrees(many)));
  CHECK_FALSE(bench.agrees(many + FixedBlock{}.literals("abc").done()));
  CHECK(bench.was_good);
}

TEST_CASE("The state for whole messages is charged to the budget, and goes when nobody used it for a round") {
  Budget budget{std::size_t{64} << 20};
  DecoderPool pool{2, budget};
  base::ByteQueue out;
  const auto payload = PeerDeflater{6, 15, 8, true}.message(Texts{4}.chats(3000));
  CHECK(works(pool.inflate_whole(15, nullptr, base::as_bytes(payload), out, kPlenty)));
  CHECK((budget.used() > 80'000) == DecoderPool::has_whole_inflater());
  pool.retire_unused();
  CHECK((budget.used() > 80'000) == DecoderPool::has_whole_inflater());
  pool.retire_unused();
  CHECK(budget.used() == 0);
}

TEST_CASE("Where blocks end is seen at their headers") {
  const auto kind = [](std::initializer_list<int> bytes, std::size_t bit = 0) {
    std::string text;
    for (const int byte : bytes) text.push_back(static_cast<char>(byte));
    return look_at_block(base::as_bytes(text), bit);
  };
  CHECK(kind({0x00}) == BlockKind::tail);
  CHECK(kind({0x00, 0x00}) == BlockKind::ordinary);
  CHECK(kind({0xff, 0x00}, 8) == BlockKind::tail);
  CHECK(kind({0x1f}, 5) == BlockKind::tail);
  CHECK(kind({0x3f}, 6) == BlockKind::surprising);  // its type is not all there
  CHECK(kind({0x3f, 0x00}, 6) == BlockKind::tail);
  CHECK(kind({0x01}) == BlockKind::surprising);
  CHECK(kind({0x02, 0x00}) == BlockKind::ordinary);
  CHECK(kind({0x06, 0x00}) == BlockKind::surprising);
  CHECK(kind({0x04, 0x00}) == BlockKind::surprising);
}

}  // namespace
}  // namespace wsproxy::deflate
