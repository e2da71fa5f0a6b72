#include "deflate/encoder.hpp"

#include <map>
#include <vector>

#include <catch2/catch.hpp>

#include "unit/deflate/plain_zlib.hpp"

namespace wsproxy::deflate {
namespace {

using test::PeerInflater;
using test::text_of;

constexpr Method kZlib{Engine::zlib, 6};

/// Each method in turn: the test case that asks runs once for each.
Method every_method() {
  if (!has_isal()) return kZlib;
  return GENERATE(
      values<Method>({kZlib, {Engine::isal, 0}, {Engine::isal, 1}, {Engine::isal, 2}, {Engine::isal, 3}}));
}

/// A worker's pool and one connection.
struct Bench {
  explicit Bench(std::size_t max_standing = 4, std::size_t reach = 4096, Method with = every_method())
      : method(with), pool(max_standing, budget), history(reach, History::Keep::may_forget, budget) {}

  std::string compress(std::string_view text, std::uint8_t window_bits = 15) {
    base::ByteQueue out;
    REQUIRE(pool.compress(base::as_bytes(text), {method, window_bits}, &history, out));
    return text_of(out);
  }

  Method method;
  EncoderShape shape{method, 15};

  Budget budget{std::size_t{64} << 20};
  EncoderPool pool;
  History history;
};

TEST_CASE("A compressed message has no tail and inflates to its text (RFC 7692 section 7.2.1)") {
  Bench bench;
  PeerInflater peer{15, true};
  const std::string text = "Hello, hello, hello, hello!";
  const auto payload = bench.compress(text);
  CHECK(payload.size() < text.size());
  CHECK_FALSE(payload.ends_with(test::kTail));
  CHECK(peer.message(payload) == text);
}

TEST_CASE("Context takeover makes a repeated message tiny (RFC 7692 section 7.2.3.2)") {
  Bench bench;
  PeerInflater peer{15, true};
  const auto text = test::Texts{1}.chat();
  const auto first = bench.compress(text);
  const auto second = bench.compress(text);
  CHECK(second.size() * 10 < first.size());
  CHECK(peer.message(first) == text);
  CHECK(peer.message(second) == text);
}

TEST_CASE("Without a history every message stands alone (RFC 7692 section 7.1.1.1)") {
  Bench bench;
  const auto text = test::Texts{1}.chat();
  for (int i = 0; i < 3; ++i) {
    base::ByteQueue out;
    REQUIRE(bench.pool.compress(base::as_bytes(text), bench.shape, nullptr, out));
    CHECK(PeerInflater{15, true}.message(text_of(out)) == text);
  }
  CHECK(bench.pool.resumed_count() == 0);
  CHECK(bench.pool.idle_count() == 1);
}

TEST_CASE("A history that reaches back nothing is no context takeover") {
  Bench bench{4, 0};
  const auto text = test::Texts{1}.chat();
  for (int i = 0; i < 3; ++i) CHECK(PeerInflater{15, true}.message(bench.compress(text)) == text);
  CHECK(bench.pool.resumed_count() == 0);
}

TEST_CASE(
    "An encoder that stands at the connection's history goes on; with all places taken the others are "
    "primed by turns") {
  Bench bench{2};
  History other{4096, History::Keep::may_forget, bench.budget};
  History third{4096, History::Keep::may_forget, bench.budget};
  History fourth{4096, History::Keep::may_forget, bench.budget};
  std::map<History*, PeerInflater> peers;
  for (History* history : {&bench.history, &other, &third, &fourth}) peers.try_emplace(history, 15, true);
  test::Texts texts{5};
  const auto send = [&](History& history) {
    const auto text = texts.chat();
    base::ByteQueue out;
    REQUIRE(bench.pool.compress(base::as_bytes(text), bench.shape, &history, out));
    REQUIRE(peers.at(&history).message(text_of(out)) == text);
  };
  for (int i = 0; i < 3; ++i) {
    send(bench.history);
    send(other);
  }
  CHECK(bench.pool.primed_count() == 2);
  CHECK(bench.pool.resumed_count() == 4);
  send(third);
  send(third);  // a burst pays once
  CHECK(bench.pool.primed_count() == 3);
  CHECK(bench.pool.resumed_count() == 5);
  send(fourth);
  send(third);
  CHECK(bench.pool.primed_count() == 5);
  CHECK(bench.pool.idle_count() == 3);
  send(bench.history);
  send(other);
  CHECK(bench.pool.resumed_count() == 7);
}

TEST_CASE("A place whose encoder serves nobody any more is taken before a new encoder is made") {
  Bench bench;
  { History gone{4096, History::Keep::may_forget, bench.budget}; }
  bench.compress(test::Texts{1}.chat());
  base::ByteQueue out;
  test::Texts texts{2};
  REQUIRE_FALSE(bench.pool.compress(base::as_bytes(texts.noise(500)), bench.shape, &bench.history, out));
  History other{4096, History::Keep::may_forget, bench.budget};
  REQUIRE(bench.pool.compress(base::as_bytes(texts.chat()), bench.shape, &other, out));
  CHECK(bench.pool.idle_count() == 1);
}

TEST_CASE("What a shared history's encoder stands behind is named by a stamp, and primed when it is gone") {
  Bench bench{1};
  PeerInflater peer{15, true};
  test::Texts texts{3};
  std::string past;
  Stamp stamp = 0;
  for (int i = 0; i < 20; ++i) {
    if (i % 5 == 4) bench.pool.retire_all();
    const bool stands = bench.pool.stands_at(stamp, bench.shape);
    CHECK(stands == (i % 5 != 4 && i != 0));
    const auto text = texts.chat();
    base::ByteQueue out;
    REQUIRE(bench.pool.compress(base::as_bytes(text), bench.shape,
                                stands ? base::Bytes{} : base::as_bytes(past), stamp, out));
    REQUIRE(peer.message(text_of(out)) == text);
    past += text;
  }
}

TEST_CASE("Encoders that nobody uses between two rounds are freed, and their memory with them") {
  Bench bench;
  const std::size_t before = bench.budget.used();
  const auto text = test::Texts{1}.chat();
  bench.compress(text);
  const std::size_t with_encoder = bench.budget.used();
  CHECK(bench.pool.retire_unused() == 0);
  CHECK(bench.pool.retire_unused() == 1);
  CHECK(bench.pool.idle_count() == 0);
  CHECK(bench.budget.used() < with_encoder);
  CHECK(bench.budget.used() <= before + 4096);
  CHECK_FALSE(bench.compress(text).empty());
  CHECK(bench.pool.primed_count() == 2);
}

TEST_CASE(
    "An encoder of another shape is never used, even if it stands at the history, and kept while there is "
    "room") {
  Bench bench;
  PeerInflater peer{9, true};
  test::Texts texts{4};
  const auto text = texts.chats(2000);
  CHECK(peer.message(bench.compress(text, 9)) == text);
  CHECK(peer.message(bench.compress(text, 8)) == text);
  CHECK(bench.pool.idle_count() == 2);
  CHECK(bench.pool.resumed_count() == 0);
}

TEST_CASE(
    "A connection's compressor never reaches past the negotiated window, 8 bits included (RFC 7692 section "
    "7.1.2.1)") {
  for (std::uint8_t bits = 8; bits <= 15; ++bits) {
    INFO(int{bits});
    Bench bench{4, std::size_t{1} << bits};
    PeerInflater peer{bits, true};
    test::Texts texts{bits};
    const auto text = texts.chats(700);
    for (int i = 0; i < 20; ++i) {
      const auto message = text + texts.chats(100);
      REQUIRE(peer.message(bench.compress(message, bits)) == message);
    }
  }
}

TEST_CASE("A message that does not shrink leaves output and history alone and is invisible to the next one") {
  Bench bench;
  PeerInflater peer{15, true};
  test::Texts texts{5};
  const auto text = texts.chat();
  CHECK(peer.message(bench.compress(text)) == text);

  base::ByteQueue out;
  out.append(base::as_bytes("kept"));
  const auto before = std::string{base::as_text(bench.history.text())};
  for (const std::size_t size : {0u, 1u, 2u, 10u, 300u, 5000u, 100000u}) {
    INFO(size);
    REQUIRE_FALSE(bench.pool.compress(base::as_bytes(texts.noise(size)), bench.shape, &bench.history, out));
    REQUIRE(text_of(out) == "kept");
    REQUIRE(base::as_text(bench.history.text()) == before);
  }
  // The receiver has not inflated the noise, so the next message must not refer to it.
  CHECK(peer.message(bench.compress(text)) == text);
}

TEST_CASE("A compressed message is strictly smaller than its text") {
  Bench bench{4, 0};
  for (std::size_t size = 2; size < 64; ++size) {
    const std::string text(size, 'a');
    base::ByteQueue out;
    if (bench.pool.compress(base::as_bytes(text), bench.shape, nullptr, out)) {
      CHECK(out.size() < size);
      CHECK(PeerInflater{15, true}.message(text_of(out)) == text);
    } else {
      CHECK(out.empty());
      CHECK(size < 10);
    }
  }
}

TEST_CASE("A streamed message inflates to its pieces, and the next one may refer to it") {
  Bench bench;
  PeerInflater peer{15, true};
  test::Texts texts{6};
  for (int i = 0; i < 30; ++i) {
    auto encoder = *bench.pool.begin(bench.shape, &bench.history);
    base::ByteQueue out;
    std::string payload;
    std::string text;
    for (std::size_t pieces = texts.below(6); pieces > 0; --pieces) {
      const auto piece = texts.any();
      encoder.write(base::as_bytes(piece), out);
      text += piece;
      // What is out may be sent, and the queue emptied, before the message is finished.
      payload += text_of(out);
      out.clear();
    }
    encoder.finish(out);
    payload += text_of(out);
    REQUIRE(peer.message(payload) == text);
    const auto last = texts.chat();
    REQUIRE(peer.message(bench.compress(last)) == last);
  }
  CHECK(bench.pool.resumed_count() > 50);
  CHECK(bench.history.text().size() == 4096);
}

TEST_CASE("An empty message is one zero octet (RFC 7692 section 7.2.3.6)") {
  Bench bench;
  PeerInflater peer{15, true};
  for (int i = 0; i < 3; ++i) {
    auto encoder = *bench.pool.begin(bench.shape, &bench.history);
    base::ByteQueue out;
    encoder.write({}, out);
    encoder.finish(out);
    CHECK(text_of(out) == std::string(1, '\0'));
    CHECK(peer.message(text_of(out)).empty());
    const auto text = test::Texts{7}.chat();
    CHECK(peer.message(bench.compress(text)) == text);
  }
}

TEST_CASE("A message abandoned half way makes the history forget and its encoder start afresh") {
  Bench bench;
  const auto text = test::Texts{8}.chat();
  bench.compress(text);
  {
    auto encoder = *bench.pool.begin(bench.shape, &bench.history);
    base::ByteQueue out;
    encoder.write(base::as_bytes("never sent"), out);
    CHECK(bench.pool.idle_count() == 0);
  }
  CHECK(bench.pool.idle_count() == 1);
  CHECK(bench.history.text().empty());
  CHECK(bench.history.stamp() == 0);
  // A receiver that knows nothing of what was before understands the next message.
  CHECK(PeerInflater{15, true}.message(bench.compress(text)) == text);
}

TEST_CASE("A message encoder can be moved, also over another one") {
  Bench bench;
  History other{4096, History::Keep::may_forget, bench.budget};
  base::ByteQueue out;
  const auto text = test::Texts{9}.chat();
  {
    auto first = *bench.pool.begin(bench.shape, &bench.history);
    auto second = *bench.pool.begin(bench.shape, &other);
    second.write(base::as_bytes("given up"), out);
    out.clear();
    first.write(base::as_bytes(text), out);
    second = std::move(first);
    second.finish(out);
  }
  CHECK(PeerInflater{15, true}.message(text_of(out)) == text);
  CHECK(other.text().empty());
  CHECK(base::as_text(bench.history.text()) == text);
  CHECK(bench.pool.idle_count() == 2);
}

TEST_CASE("Without memory a large message is not begun, and whole ones go on with a few encoders") {
  Budget tight{1};
  const Method method = every_method();
  EncoderPool pool{100, tight};
  base::ByteQueue out;
  std::vector<MessageEncoder> streams;
  for (auto stream = pool.begin({method, 15}, nullptr); stream; stream = pool.begin({method, 15}, nullptr))
    streams.push_back(std::move(*stream));
  CHECK(streams.size() == 4);
  for (int i = 0; i < 10; ++i)
    REQUIRE(pool.compress(base::as_bytes(test::Texts{10}.chat()), {method, 15}, nullptr, out));
  CHECK(pool.idle_count() == 1);
  CHECK(tight.used() <= 5 * memory_of({method, 15}));
}

TEST_CASE("Messages without takeover do not evict encoders that stand at a history") {
  Bench bench{2};
  PeerInflater peer{15, true};
  base::ByteQueue out;
  const auto text = test::Texts{11}.chat();
  {
    auto first = *bench.pool.begin(bench.shape, nullptr);
    CHECK(peer.message(bench.compress(text)) == text);
  }
  for (int i = 0; i < 10; ++i) {
    REQUIRE(bench.pool.compress(base::as_bytes(text), bench.shape, nullptr, out));
    REQUIRE(peer.message(bench.compress(text)) == text);
  }
  CHECK(bench.pool.resumed_count() == 10);
}

TEST_CASE("A pool without places for encoders that stand still compresses with takeover") {
  Bench bench{0};
  PeerInflater peer{15, true};
  test::Texts texts{12};
  for (int i = 0; i < 5; ++i) {
    const auto text = texts.chat();
    CHECK(peer.message(bench.compress(text)) == text);
  }
  CHECK(bench.pool.idle_count() == 1);
}

TEST_CASE("A sender whose history finds no memory goes on correctly") {
  Budget tight{1};
  const EncoderShape shape{every_method(), 15};
  EncoderPool pool{1, tight};
  History history{4096, History::Keep::may_forget, tight};
  PeerInflater peer{15, true};
  test::Texts texts{13};
  for (int i = 0; i < 10; ++i) {
    const auto text = texts.chats(600);
    base::ByteQueue out;
    REQUIRE(pool.compress(base::as_bytes(text), shape, &history, out));
    REQUIRE(peer.message(text_of(out)) == text);
    REQUIRE(history.text().empty());
  }
}

TEST_CASE("Large messages are compressed in bounded steps") {
  Bench bench;
  PeerInflater peer{15, true};
  test::Texts texts{14};
  std::string text;
  while (text.size() < 5'000'000) text += texts.one_in(50) ? texts.noise(20000) : texts.chats(30000);

  SECTION("whole") {
    const auto payload = bench.compress(text);
    CHECK(peer.message(payload, 65536) == text);
  }
  SECTION("in pieces whose output is sent at once") {
    auto encoder = *bench.pool.begin(bench.shape, &bench.history);
    base::ByteQueue out;
    std::string payload;
    for (std::size_t at = 0; at < text.size(); at += 65536) {
      encoder.write(base::as_bytes(text).subspan(at, std::min<std::size_t>(65536, text.size() - at)), out);
      payload += text_of(out);
      out.clear();
    }
    CHECK(out.capacity() <= 256 * 1024);
    encoder.finish(out);
    payload += text_of(out);
    CHECK(peer.message(payload, 65536) == text);
  }
  const auto last = texts.chat();
  CHECK(peer.message(bench.compress(last)) == last);
}

TEST_CASE("a quarter of the memory may stand as encoders, one at least and 128 at most") {
  CHECK(standing_encoders(std::size_t{256} << 20) == 128);
  CHECK(standing_encoders(std::size_t{16} << 20) == (4U << 20) / kEncoderBytes);
  CHECK(standing_encoders(0) == 1);
}

TEST_CASE("Encoders and histories are charged to the budget until they are gone") {
  Budget budget{std::size_t{64} << 20};
  const EncoderShape shape{every_method(), 15};
  {
    EncoderPool pool{2, budget};
    CHECK(budget.used() == 0);
    History history{4096, History::Keep::may_forget, budget};
    base::ByteQueue out;
    REQUIRE(pool.compress(base::as_bytes(test::Texts{15}.chats(3000)), shape, &history, out));
    CHECK(budget.used() <= memory_of(shape) + 8192);
    CHECK(budget.used() > memory_of(shape) * 95 / 100);
    auto extra = pool.begin({shape.method, 9}, nullptr);
    CHECK(budget.used() > memory_of(shape));
  }
  CHECK(budget.used() == 0);
}

}  // namespace
}  // namespace wsproxy::deflate
