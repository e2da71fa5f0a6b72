#include "net/tls_error.hpp"
#include "net/transport.hpp"
#include "tls_socket.hpp"

namespace wsproxy::net {
namespace {

using test::Calls;
using test::noise;
using Bench = test::TlsSocket;

const Calls kReads{"reads"};
const Calls kNone;
const Calls kWrites{"writes"};

TEST_CASE("bytes pass both ways once hands are shaken, in both versions", "[tls_transport]") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Bench bench{version};
    bench.shake_hands();
    bench.ours->wait_readable();
    bench.client_writes("hello");
    CHECK(bench.turn() == kReads);
    CHECK(bench.read() == "hello");
    CHECK(bench.read().empty());
    CHECK(bench.last.status == IoStatus::would_block);
    const IoResult written = bench.ours->write_some(base::as_bytes("welcome"));
    CHECK(written.status == IoStatus::done);
    CHECK(written.bytes == 7);
    bench.client.hear(bench.take());
    CHECK(bench.client.read() == "welcome");
  }
}

TEST_CASE("a record that has come in part is no reading, and its rest is", "[tls_transport]") {
  Bench bench;
  bench.shake_hands();
  bench.client.write("hello");
  const std::string record = bench.client.said();
  for (std::size_t i = 0; i + 1 < record.size(); ++i) {
    bench.ours->wait_readable();
    bench.put(record.substr(i, 1));
    CHECK(bench.turn() == kReads);
    CHECK(bench.read().empty());
    CHECK(bench.last.status == IoStatus::would_block);
  }
  bench.ours->wait_readable();
  bench.put(record.substr(record.size() - 1));
  CHECK(bench.turn() == kReads);
  CHECK(bench.read() == "hello");
}

TEST_CASE("what a read leaves behind is told without a byte on the socket", "[tls_transport]") {
  const std::size_t room = GENERATE(1U, 3U);
  Bench bench;
  bench.shake_hands();
  bench.client.write("abc");
  bench.client.write("def");
  bench.put(bench.client.said());
  std::string all;
  while (all.size() < 6) {
    bench.ours->wait_readable();
    REQUIRE(bench.turn() == kReads);
    const std::string part = bench.read(room);
    CHECK(part.size() == room);
    all += part;
  }
  CHECK(all == "abcdef");
  bench.ours->wait_readable();
  CHECK(bench.turn() == kNone);
}

TEST_CASE("a write that has failed stays failed, and is never taken for written", "[tls_transport]") {
  Bench bench;
  bench.shake_hands();
  bench.theirs.close();
  const IoResult first = bench.ours->write_some(base::as_bytes(std::string(200, 'x')));
  CHECK(first.status == IoStatus::failed);
  CHECK(first.bytes == 0);
  const IoResult second = bench.ours->write_some(base::as_bytes("shorter"));
  CHECK(second.status == IoStatus::failed);
  CHECK(second.bytes == 0);
}

TEST_CASE("what waits for a peer that goes is never taken for written", "[tls_transport]") {
  Bench bench;
  bench.shake_hands();
  const std::string much = noise(4'000'000);
  std::size_t written = 0;
  IoResult result;
  while ((result = bench.ours->write_some(base::as_bytes(much).subspan(written))).status == IoStatus::done) {
    written += result.bytes;
  }
  REQUIRE(result.status == IoStatus::would_block);
  bench.theirs.close();
  bench.turn();  // the hang-up makes the transport try, without anybody asking
  result = bench.ours->write_some(base::as_bytes(much).subspan(written));
  CHECK(result.status == IoStatus::failed);
  CHECK(result.bytes == 0);
}

TEST_CASE("a peer that does not read stops writing, and gets every byte in order when it does",
          "[tls_transport]") {
  Bench bench;
  bench.shake_hands();
  const std::string text = noise(3'000'000);
  std::string got;
  std::size_t written = 0;
  int stops = 0;
  while (written < text.size()) {
    const IoResult result = bench.ours->write_some(base::as_bytes(text).subspan(written));
    if (result.status == IoStatus::done) {
      REQUIRE(result.bytes > 0);
      written += result.bytes;
      continue;
    }
    REQUIRE(result.status == IoStatus::would_block);
    CHECK(result.bytes == 0);
    ++stops;
    bench.ours->wait_writable();
    CHECK(bench.turn() == kNone);
    bench.client.hear(bench.take());
    got += bench.client.read();
    // What is sealed is no more than what was asked for; what is counted is there.
    CHECK(got.size() >= written);
    CHECK(bench.turn() == kWrites);
  }
  CHECK(stops > 5);
  bench.client.hear(bench.take());
  got += bench.client.read();
  CHECK(written == text.size());
  const bool is_all = got == text;
  CHECK(is_all);
}

TEST_CASE("a peer that reads a little at a time gets everything all the same", "[tls_transport]") {
  Bench bench;
  bench.shake_hands();
  const std::string text = noise(1'000'000);
  std::string got;
  std::size_t written = 0;
  while (got.size() < text.size()) {
    bench.turn();
    while (written < text.size()) {
      const IoResult result = bench.ours->write_some(base::as_bytes(text).subspan(written));
      written += result.bytes;
      if (result.status != IoStatus::done) {
        REQUIRE(result.status == IoStatus::would_block);
        break;
      }
    }
    const std::string some = bench.take(10'000);
    REQUIRE_FALSE(some.empty());
    bench.client.hear(some);
    got += bench.client.read();
  }
  const bool is_all = got == text;
  CHECK(is_all);
}

TEST_CASE("what waits for the socket goes out though nobody asks again", "[tls_transport]") {
  Bench bench;
  bench.shake_hands();
  const std::string text = noise(3'000'000);
  std::size_t written = 0;
  IoResult result;
  while ((result = bench.ours->write_some(base::as_bytes(text).subspan(written))).status == IoStatus::done) {
    written += result.bytes;
  }
  REQUIRE(result.status == IoStatus::would_block);
  std::string got;
  for (int i = 0; i < 10; ++i) {
    bench.client.hear(bench.take());
    got += bench.client.read();
    bench.turn();
  }
  CHECK(got.size() > written);
  const bool is_so_far = text.compare(0, got.size(), got) == 0;
  CHECK(is_so_far);
}

TEST_CASE("6.1: the end says close_notify behind what was written, then ends the file", "[tls_transport]") {
  Bench bench;
  bench.shake_hands();
  bench.ours->write_some(base::as_bytes("last"));
  bench.ours->shut_down_send();
  bench.client.hear(bench.take());
  CHECK(bench.client.read() == "last");
  CHECK(bench.client.has_ended());
  CHECK(bench.is_at_end());
  // It can still be read.
  bench.client_writes("thanks");
  bench.turn();
  CHECK(bench.read() == "thanks");
}

TEST_CASE("an end behind a full socket waits for it", "[tls_transport]") {
  Bench bench;
  bench.shake_hands();
  const std::string text = noise(3'000'000);
  std::size_t written = 0;
  while (written < text.size()) {
    const IoResult result = bench.ours->write_some(base::as_bytes(text).subspan(written));
    written += result.bytes;
    if (result.status == IoStatus::done) continue;
    REQUIRE(result.status == IoStatus::would_block);
    if (written > 2'000'000) break;
    bench.client.hear(bench.take());
    bench.turn();
  }
  REQUIRE(written < text.size());
  bench.client.read();
  bench.ours->shut_down_send();
  CHECK_FALSE(bench.client.has_ended());
  for (int i = 0; i < 20 && !bench.client.has_ended(); ++i) {
    bench.client.hear(bench.take());
    bench.turn();
  }
  CHECK(bench.client.failure() == "");
  CHECK(bench.client.has_ended());
  CHECK(bench.is_at_end());
}

TEST_CASE("the peer's close_notify is an end of file, behind its last bytes", "[tls_transport]") {
  Bench bench;
  bench.shake_hands();
  bench.client.write("last");
  bench.client.say_close();
  bench.put(bench.client.said());
  bench.ours->wait_readable();
  CHECK(bench.turn() == kReads);
  CHECK(bench.read() == "last");
  bench.ours->wait_readable();
  CHECK(bench.turn() == kReads);
  CHECK(bench.read().empty());
  CHECK(bench.last.status == IoStatus::end_of_file);
  CHECK(bench.ours->write_some(base::as_bytes("answer")).status == IoStatus::done);
  bench.client.hear(bench.take());
  CHECK(bench.client.read() == "answer");
}

TEST_CASE("an end without close_notify is a failure that says so, behind the last bytes", "[tls_transport]") {
  Bench bench;
  bench.shake_hands();
  bench.client_writes("cut");
  bench.theirs.close();
  bench.turn();
  CHECK(bench.read() == "cut");
  CHECK(bench.read().empty());
  CHECK(bench.last.status == IoStatus::failed);
  CHECK(bench.last.error == make_error_code(TlsError::truncated));
  CHECK(bench.read().empty());
  CHECK(bench.last.status == IoStatus::failed);
}

}  // namespace
}  // namespace wsproxy::net
