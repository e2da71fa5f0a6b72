#include "deflate/decoder.hpp"

#include <optional>

#include <catch2/catch.hpp>

#include "unit/deflate/plain_zlib.hpp"

namespace wsproxy::deflate {
namespace {

using test::FixedBlock;
using test::PeerDeflater;
using test::text_of;
using End = PeerDeflater::End;

struct Decoded {
  DecodeStatus status;
  std::string text;
  bool operator==(const Decoded&) const = default;
};

std::ostream& operator<<(std::ostream& to, const Decoded& decoded) {
  return to << static_cast<int>(decoded.status) << " '" << decoded.text << "'";
}

Decoded whole(std::string text) {
  return {DecodeStatus::message_end, std::move(text)};
}

/// A worker's pool and what one client has sent.
struct Bench {
  explicit Bench(std::uint8_t bits = 15)
      : window_bits(bits), history(std::size_t{1} << bits, History::Keep::must_keep, budget) {}

  /// In pieces of `cut` bytes, taking `max_output` bytes at a time.
  Decoded decode(std::string_view payload, std::size_t cut = 1 << 20, std::size_t max_output = 1 << 20) {
    auto decoder = pool.begin(window_bits, takeover ? &history : nullptr);
    base::ByteQueue out;
    std::size_t had = 0;
    const auto judge = [&](DecodeStatus status) {
      REQUIRE(out.size() - had <= max_output);
      if (status == DecodeStatus::output_full) REQUIRE(out.size() - had == max_output);
      had = out.size();
      return status;
    };
    for (std::size_t at = 0; at < payload.size(); at += cut) {
      auto input = base::as_bytes(payload.substr(at, cut));
      auto status = DecodeStatus::output_full;
      while (status == DecodeStatus::output_full) status = judge(decoder.write(input, out, max_output));
      if (status == DecodeStatus::corrupt) return {status, text_of(out)};
      REQUIRE(status == DecodeStatus::needs_input);
      REQUIRE(input.empty());
    }
    auto status = DecodeStatus::output_full;
    while (status == DecodeStatus::output_full) status = judge(decoder.finish(out, max_output));
    return {status, text_of(out)};
  }

  void remember(std::string_view text) { history.append(base::as_bytes(text)); }

  Budget budget{std::size_t{64} << 20};
  DecoderPool pool{2, budget};
  std::uint8_t window_bits;
  bool takeover = true;
  History history;
};

/// The same message whole, byte by byte, in threes, and with little room for output.
Decoded in_every_way(std::string_view payload, std::uint8_t bits = 15, std::string_view history = {}) {
  std::optional<Decoded> first;
  for (const std::size_t cut : {1u << 20, 1u, 3u}) {
    for (const std::size_t max_output : {1u << 20, 1u, 7u}) {
      INFO("cut " << cut << ", max_output " << max_output);
      Bench bench{bits};
      bench.remember(history);
      const auto decoded = bench.decode(payload, cut, max_output);
      if (!first) first = decoded;
      CHECK(decoded == *first);
      if (decoded.status == DecodeStatus::message_end) {
        const auto all = std::string{history} + decoded.text;
        CHECK(all.ends_with(base::as_text(bench.history.text())));
      }
    }
  }
  return *first;
}

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text.push_back(static_cast<char>(value));
  return text;
}

TEST_CASE("The examples of RFC 7692 section 7.2.3 are understood") {
  const auto hello = bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00});
  CHECK(in_every_way(hello) == whole("Hello"));
  // Section 7.2.3.2: the second message refers to the first.
  CHECK(in_every_way(bytes({0xf2, 0x00, 0x11, 0x00, 0x00}), 15, "Hello") == whole("Hello"));
  // Section 7.2.3.3: a block without compression.
  CHECK(in_every_way(bytes({0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00})) ==
        whole("Hello"));
  // Section 7.2.3.4: BFINAL set, and the zero octet that follows.
  CHECK(in_every_way(bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00})) == whole("Hello"));
  // Section 7.2.3.5: two blocks in one message.
  CHECK(in_every_way(bytes({0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00})) ==
        whole("Hello"));
  // Section 7.2.3.6: an empty message.
  CHECK(in_every_way(bytes({0x00})) == whole(""));
}

TEST_CASE("A message of no octets at all is empty") {
  CHECK(in_every_way("") == whole(""));
  CHECK(in_every_way("", 15, "history") == whole(""));
}

TEST_CASE("A peer that leaves the tail in place is understood") {
  PeerDeflater peer{6, 15, 8, true};
  Bench bench;
  test::Texts texts{1};
  for (int i = 0; i < 20; ++i) {
    const auto text = texts.chat();
    peer.begin();
    peer.write(text, Z_NO_FLUSH);
    CHECK(bench.decode(peer.finish(i % 2 == 0 ? End::tail_left_in : End::stripped), 5, 11) == whole(text));
  }
  CHECK(in_every_way(bytes({0x00, 0x00, 0x00, 0xff, 0xff})) == whole(""));
  CHECK(in_every_way(FixedBlock{}.literals("Hello").done() + test::kTail) == whole("Hello"));
  CHECK(in_every_way(bytes({0x00, 0x03, 0x00, 0xfc, 0xff, 'a', 'b', 'c'})) == whole("abc"));
}

TEST_CASE("A final block at the end of a message may have the zero octet or not (RFC 7692 section 7.2.3.4)") {
  const auto payload = FixedBlock{true}.literals("Hello").done(false);
  CHECK(in_every_way(payload) == whole("Hello"));
  CHECK(in_every_way(payload + '\0') == whole("Hello"));
  CHECK(in_every_way(payload + '\0' + test::kTail) == whole("Hello"));
}

TEST_CASE("The window is kept across a final block in the middle of a message (RFC 7692 section 7.2.3.4)") {
  const auto first = FixedBlock{true}.literals("abc").done(false);
  CHECK(in_every_way(first + FixedBlock{}.match(3).done()) == whole("abcabc"));
  CHECK(in_every_way(first + FixedBlock{true}.match(3).done(false)) == whole("abcabc"));
  CHECK(in_every_way(first + FixedBlock{}.match(6).done(), 15, "xyz") == whole("abcxyz"));
  CHECK(in_every_way(first + FixedBlock{}.match(7).done(), 15, "xyz").status == DecodeStatus::corrupt);
  // Many in a row, also empty ones.
  std::string many;
  for (int i = 0; i < 50; ++i)
    many += FixedBlock{true}.done(false) + FixedBlock{true}.literals("abc").done(false);
  CHECK(in_every_way(many).text.size() == 150);
}

TEST_CASE("After a final block the next message may refer to this one") {
  PeerDeflater peer{6, 15, 8, true};
  Bench bench;
  const auto text = test::Texts{2}.chat();
  for (const auto end :
       {End::final_block, End::final_block_and_zero_octet, End::stripped, End::final_block}) {
    peer.begin();
    peer.write(text, Z_NO_FLUSH);
    CHECK(bench.decode(peer.finish(end), 3, 5) == whole(text));
  }
}

TEST_CASE("Fragments may inflate to nothing") {
  PeerDeflater peer{6, 15, 8, true};
  const auto text = test::Texts{3}.chat();
  peer.begin();
  for (int i = 0; i < 5; ++i) peer.write("", Z_SYNC_FLUSH);
  peer.write(text, Z_SYNC_FLUSH);
  peer.write("", Z_FULL_FLUSH);
  CHECK(in_every_way(peer.finish(End::stripped)) == whole(text));
  // Any number of empty blocks.
  std::string empty;
  for (int i = 0; i < 20; ++i) empty += bytes({0x00, 0x00, 0x00, 0xff, 0xff});
  CHECK(in_every_way(empty + '\0') == whole(""));
}

TEST_CASE(
    "A distance reaches back to the agreed window's first byte and no further (RFC 7692 section 7.1.2)") {
  test::Texts texts{4};
  for (std::uint8_t bits = 8; bits <= 15; ++bits) {
    INFO(int{bits});
    const std::uint32_t window = 1u << bits;
    const auto sent = texts.noise(window + 1000);
    CHECK(in_every_way(FixedBlock{}.match(window).done(), bits, sent) == whole(sent.substr(1000, 3)));
    if (bits == 15) continue;  // the format has no longer distance
    CHECK(in_every_way(FixedBlock{}.match(window + 1).done(), bits, sent).status == DecodeStatus::corrupt);
  }
}

TEST_CASE("A history that is longer than the window is used up to the window") {
  Bench bench{9};
  History longer{4096, History::Keep::must_keep, bench.budget};
  longer.append(base::as_bytes(test::Texts{5}.noise(4096)));
  for (const std::uint32_t distance : {512u, 513u}) {
    auto decoder = bench.pool.begin(9, &longer);
    const auto payload = FixedBlock{}.match(distance).done();
    auto input = base::as_bytes(payload);
    base::ByteQueue out;
    CHECK(decoder.write(input, out, 100) ==
          (distance == 512 ? DecodeStatus::needs_input : DecodeStatus::corrupt));
  }
}

TEST_CASE("A distance before the first byte is corrupt") {
  CHECK(in_every_way(FixedBlock{}.match(1).done()).status == DecodeStatus::corrupt);
  CHECK(in_every_way(FixedBlock{}.literals("abc").match(4).done()).status == DecodeStatus::corrupt);
  CHECK(in_every_way(FixedBlock{}.literals("abc").match(3).done()) == whole("abcabc"));
  CHECK(in_every_way(FixedBlock{}.match(11).done(), 15, "0123456789").status == DecodeStatus::corrupt);
  CHECK(in_every_way(FixedBlock{}.match(10).done(), 15, "0123456789") == whole("012"));
}

TEST_CASE(
    "Without context takeover nothing of earlier messages can be referred to (RFC 7692 section 7.1.1.2)") {
  Bench bench;
  bench.takeover = false;
  const auto text = test::Texts{6}.chat();
  PeerDeflater peer{6, 15, 8, false};
  for (int i = 0; i < 3; ++i) CHECK(bench.decode(peer.message(text)) == whole(text));
  CHECK(bench.decode(FixedBlock{}.match(1).done()).status == DecodeStatus::corrupt);
  CHECK(bench.history.text().empty());
}

TEST_CASE("Inside its own message a peer may exceed its window, however the message is cut") {
  test::Texts texts{7};
  PeerDeflater peer{9, 15, 8, true};
  const auto part = texts.chats(3000);
  const auto text = part + texts.noise(10000) + part;
  CHECK(in_every_way(peer.message(text), 9) == whole(text));
}

TEST_CASE("What is not a deflate stream, or ends inside a block, is corrupt") {
  CHECK(in_every_way(bytes({0x06, 0x00})).status == DecodeStatus::corrupt);                    // block type 3
  CHECK(in_every_way(bytes({0x00, 0x05, 0x00, 0xfa, 0xfe})).status == DecodeStatus::corrupt);  // LEN and NLEN
  CHECK(in_every_way(bytes({0xff, 0xff, 0xff, 0xff})).status == DecodeStatus::corrupt);
  CHECK(in_every_way(FixedBlock{}.literals("Hello").done().substr(0, 4)).status == DecodeStatus::corrupt);
  CHECK(in_every_way(bytes({0x00, 0xff, 0x00, 0x00, 0xff, 0x61})).status == DecodeStatus::corrupt);
  // What a peer sends that compresses with the zlib or gzip format instead of the raw one.
  CHECK(in_every_way(bytes({0x78, 0x9c, 0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})).status ==
        DecodeStatus::corrupt);
  CHECK(in_every_way(bytes({0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00})).status ==
        DecodeStatus::corrupt);
}

TEST_CASE("Every truncation of a message is corrupt or ends at a block, and never more than the message") {
  PeerDeflater peer{6, 15, 8, true};
  const auto text = test::Texts{8}.chats(2000);
  const auto payload = peer.message(text);
  for (std::size_t size = 0; size < payload.size(); ++size) {
    Bench bench;
    const auto decoded = bench.decode(std::string_view{payload}.substr(0, size), 13, 100);
    REQUIRE(decoded.text.size() <= text.size() + 258);
    if (size > 0 && size + 1 < payload.size()) REQUIRE(decoded.status == DecodeStatus::corrupt);
  }
}

TEST_CASE("A corrupt message stays corrupt and does not poison the next one in the pool") {
  Bench bench;
  bench.remember("0123456789");
  const auto bad = bytes({0x06, 0x00});
  for (int i = 0; i < 3; ++i) {
    {
      auto decoder = bench.pool.begin(15, &bench.history);
      base::ByteQueue out;
      auto input = base::as_bytes(bad);
      CHECK(decoder.write(input, out, 100) == DecodeStatus::corrupt);
      CHECK(decoder.write(input, out, 100) == DecodeStatus::corrupt);
      CHECK(decoder.finish(out, 100) == DecodeStatus::corrupt);
      CHECK(decoder.finish(out, 100) == DecodeStatus::corrupt);
    }
    CHECK(bench.pool.idle_count() == 1);
    CHECK(in_every_way(FixedBlock{}.literals("fine").done()) == whole("fine"));
    CHECK(bench.decode(FixedBlock{}.literals("fine").done()) == whole("fine"));
  }
}

TEST_CASE("The output is limited exactly, and goes on where it stopped") {
  PeerDeflater peer{9, 15, 8, true};
  const std::string text(1'000'000, 'a');
  const auto payload = peer.message(text);
  REQUIRE(payload.size() < 2000);

  Bench bench;
  auto decoder = bench.pool.begin(15, &bench.history);
  base::ByteQueue out;
  auto input = base::as_bytes(payload);
  CHECK(decoder.write(input, out, 1000) == DecodeStatus::output_full);
  CHECK(out.size() == 1000);
  CHECK(out.capacity() <= 64 * 1024);
  CHECK(bench.history.text().size() == 1000);
  CHECK(decoder.write(input, out, 1) == DecodeStatus::output_full);
  CHECK(out.size() == 1001);
  CHECK(decoder.write(input, out, 998'998) == DecodeStatus::output_full);
  CHECK(out.size() == 999'999);
  CHECK(decoder.write(input, out, 2) == DecodeStatus::needs_input);
  CHECK(out.size() == 1'000'000);
  CHECK(decoder.finish(out, 1) == DecodeStatus::message_end);
  CHECK(text_of(out) == text);
}

TEST_CASE("finish() also puts out what found no room before") {
  PeerDeflater peer{9, 15, 8, true};
  const auto payload = peer.message(std::string(5000, 'a'));
  Bench bench;
  auto decoder = bench.pool.begin(15, &bench.history);
  base::ByteQueue out;
  auto input = base::as_bytes(payload);
  while (!input.empty()) REQUIRE(decoder.write(input, out, 1) == DecodeStatus::output_full);
  auto status = DecodeStatus::output_full;
  while (status == DecodeStatus::output_full) status = decoder.finish(out, 100);
  CHECK(status == DecodeStatus::message_end);
  CHECK(out.size() == 5000);
}

TEST_CASE(
    "The tail's own octets are text when a block without compression asks for them (RFC 7692 section "
    "7.2.2)") {
  // LEN is 8, of which four octets are there: the receiver appends the other four, as it is told to.
  const auto payload = bytes({0x00, 0x08, 0x00, 0xf7, 0xff, 'a', 'b', 'c', 'd'});
  CHECK(in_every_way(payload) == whole("abcd" + test::kTail));
}

TEST_CASE("Several messages may be under way, and the pool keeps max_idle inflaters") {
  Bench bench;
  std::vector<History> histories;
  std::vector<MessageDecoder> decoders;
  std::vector<base::ByteQueue> outs(4);
  histories.reserve(4);
  for (int i = 0; i < 4; ++i) {
    histories.emplace_back(4096, History::Keep::must_keep, bench.budget);
    histories.back().append(base::as_bytes("history" + std::to_string(i)));
    decoders.push_back(bench.pool.begin(12, &histories.back()));
  }
  const auto payload = FixedBlock{}.literals("abcde").match(8).match(6).done();
  for (std::size_t at = 0; at < payload.size(); ++at) {
    for (std::size_t i = 0; i < 4; ++i) {
      auto input = base::as_bytes(payload).subspan(at, 1);
      REQUIRE(decoders[i].write(input, outs[i], 100) == DecodeStatus::needs_input);
    }
  }
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(decoders[i].finish(outs[i], 100) == DecodeStatus::message_end);
    CHECK(text_of(outs[i]) == "abcdery" + std::to_string(i) + "cde");
  }
  CHECK(bench.pool.idle_count() == 0);
  decoders[0] = std::move(decoders[1]);
  CHECK(bench.pool.idle_count() == 0);
  decoders.clear();
  CHECK(bench.pool.idle_count() == 2);
}

TEST_CASE("A 5 MB message streams through in small pieces") {
  test::Texts texts{9};
  std::string text;
  while (text.size() < 5'000'000) text += texts.one_in(50) ? texts.noise(20000) : texts.chats(30000);
  PeerDeflater peer{1, 15, 8, true};
  const auto payload = peer.message(text);
  Bench bench{12};
  auto decoder = bench.pool.begin(12, &bench.history);
  base::ByteQueue out;
  std::string all;
  for (std::size_t at = 0; at < payload.size(); at += 4000) {
    auto input = base::as_bytes(payload).subspan(at, std::min<std::size_t>(4000, payload.size() - at));
    auto status = DecodeStatus::output_full;
    while (status == DecodeStatus::output_full) {
      status = decoder.write(input, out, 10000);
      all += text_of(out);
      out.clear();
    }
    REQUIRE(status == DecodeStatus::needs_input);
  }
  REQUIRE(decoder.finish(out, 10000) == DecodeStatus::message_end);
  CHECK(all + text_of(out) == text);
  CHECK(out.capacity() <= 64 * 1024);
  CHECK(base::as_text(bench.history.text()) == text.substr(text.size() - 4096));
}

TEST_CASE("Inflaters and what clients have sent are charged to the budget until they are gone") {
  Budget budget{std::size_t{64} << 20};
  {
    DecoderPool pool{2, budget};
    History history{4096, History::Keep::must_keep, budget};
    {
      auto decoder = pool.begin(12, &history);
      base::ByteQueue out;
      const auto payload = FixedBlock{}.literals("text").done();
      auto input = base::as_bytes(payload);
      decoder.write(input, out, 100);
      CHECK(budget.used() > 35'000);
      CHECK(budget.used() < 45'000);
    }
    CHECK(pool.idle_count() == 1);
  }
  CHECK(budget.used() == 0);
}

}  // namespace
}  // namespace wsproxy::deflate
