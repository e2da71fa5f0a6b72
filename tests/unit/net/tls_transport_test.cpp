#include <array>
#include <random>

#include <sys/socket.h>

#include "net/transport.hpp"
#include "tls_ends.hpp"

namespace wsproxy::net {
namespace {

using test::anybody;
using test::Files;
using test::TlsPeer;
using wsproxy::test::client_context;
using wsproxy::test::only_version;
using Ready = Transport::Ready;
using Handshake = Transport::Handshake;
using Calls = std::vector<std::string>;

const Calls kNone;
const Calls kReads{"reads"};
const Calls kWrites{"writes"};

std::string noise(std::size_t size) {
  std::string text(size, '\0');
  std::minstd_rand random{7};
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

/// A listener's end of a connection, on a loop of its own, and a client whose socket a test holds.
struct Bench {
  Files files;
  std::shared_ptr<const TlsServer> server = files.load(files.listener(anybody()));
  SslContextPtr context;
  TlsPeer client;
  IoContext io;
  Poller poller{io};
  TlsBuffers buffers;
  Descriptor theirs;
  std::unique_ptr<Transport> ours;
  Calls calls;

  explicit Bench(int version = TLS1_3_VERSION)
      : context(client_context(only_version(version))), client(*context) {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
    theirs = Descriptor{ends[1]};
    ours = std::make_unique<Transport>(poller, Descriptor{ends[0]}, [this](Ready ready) {
      calls.emplace_back(ready == Ready::reading ? "reads" : "writes");
    });
  }
  ~Bench() {
    ours.reset();
    poller.stop();
    turn();
  }
  void begin(const AheadOfTls& ahead = {}) { ours->begin_tls(server->accept(buffers), buffers, ahead); }
  /// With the client, until both are done.
  void shake_hands() {
    begin();
    client.hear({});
    Handshake step = Handshake::under_way;
    for (int i = 0; i < 4 && step == Handshake::under_way; ++i) {
      client_speaks();
      turn();
      step = ours->shake_hands();
      client.hear(take());
    }
    REQUIRE(step == Handshake::done);
    REQUIRE(client.is_done());
    calls.clear();
  }
  void client_speaks() { put(client.said()); }
  Calls turn() {
    for (int i = 0; i < 4; ++i) io.poll();
    return std::exchange(calls, {});
  }
  /// What the client's socket has.
  std::string take(std::size_t most = std::size_t{16} << 20) const {
    std::string all;
    std::array<char, 65536> buffer{};
    while (all.size() < most) {
      const std::size_t size = std::min(buffer.size(), most - all.size());
      const ssize_t got = ::recv(theirs.number(), buffer.data(), size, MSG_DONTWAIT);
      if (got <= 0) break;
      all.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return all;
  }
  void put(std::string_view bytes) const {
    if (bytes.empty()) return;
    REQUIRE(::send(theirs.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  void client_writes(std::string_view plain) {
    client.write(plain);
    put(client.said());
  }
  bool is_at_end() const {
    char next;
    return ::recv(theirs.number(), &next, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
  }
  std::string read(std::size_t most = 65536) {
    std::string text(most, '\0');
    last = ours->read_some(std::as_writable_bytes(std::span{text}));
    return text.substr(0, last.bytes);
  }
  IoResult last;
};

TEST_CASE("a handshake goes on when the peer has said more, and is told as a turn of its own",
          "[tls_transport]") {
  Bench bench;
  bench.begin();
  CHECK(bench.ours->tls() != nullptr);
  bench.ours->wait_readable();
  CHECK(bench.turn() == kNone);
  bench.client.hear({});
  bench.client_speaks();
  CHECK(bench.turn() == kReads);
  CHECK(bench.ours->shake_hands() == Handshake::under_way);
  bench.client.hear(bench.take());
  CHECK(bench.client.is_done());
  bench.ours->wait_readable();
  CHECK(bench.turn() == kNone);
  bench.client_speaks();
  CHECK(bench.turn() == kReads);
  CHECK(bench.ours->shake_hands() == Handshake::done);
}

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
  CHECK(is_truncation(bench.last.error));
  CHECK(bench.read().empty());
  CHECK(bench.last.status == IoStatus::failed);
}

TEST_CASE("bytes that are no record are a failure, but no truncation", "[tls_transport]") {
  Bench bench;
  bench.shake_hands();
  bench.put("no record at all");
  bench.turn();
  CHECK(bench.read().empty());
  CHECK(bench.last.status == IoStatus::failed);
  CHECK_FALSE(is_truncation(bench.last.error));
  CHECK(bench.ours->write_some(base::as_bytes("x")).status == IoStatus::failed);
}

TEST_CASE("a preface goes ahead of TLS as it is, and early bytes begin the handshake", "[tls_transport]") {
  Bench bench;
  bench.client.hear({});
  const std::string hello = bench.client.said();
  const std::string early = hello.substr(0, GENERATE(1U, 50U, 10'000U));
  bench.begin({.to_peer = base::as_bytes("PROXY UNKNOWN\r\n"), .from_peer = base::as_bytes(early)});
  bench.ours->wait_readable();
  CHECK(bench.turn() == kReads);  // without a byte on the socket
  CHECK(bench.ours->shake_hands() == Handshake::under_way);
  bench.put(hello.substr(early.size()));
  bench.turn();
  CHECK(bench.ours->shake_hands() == Handshake::under_way);
  const std::string said = bench.take();
  const std::string preface = "PROXY UNKNOWN\r\n";
  REQUIRE(said.starts_with(preface));
  bench.client.hear(said.substr(preface.size()));
  CHECK(bench.client.is_done());
  bench.client_speaks();
  bench.turn();
  CHECK(bench.ours->shake_hands() == Handshake::done);
}

TEST_CASE("HTTP without TLS is told by its first byte, and can be answered in plain text",
          "[tls_transport]") {
  Bench bench;
  bench.begin();
  bench.put("G");
  bench.turn();
  CHECK(bench.ours->shake_hands() == Handshake::failed);
  CHECK(bench.ours->tls()->failure().reason == telemetry::TlsFailureReason::plain_http);
  bench.ours->end_tls();
  CHECK(bench.ours->tls() == nullptr);
  bench.ours->write_some(base::as_bytes("HTTP/1.1 400"));
  CHECK(bench.take() == "HTTP/1.1 400");
}

TEST_CASE("a peer that ends in mid-handshake has closed", "[tls_transport]") {
  Bench bench;
  bench.begin();
  bench.client.hear({});
  bench.put(bench.client.said().substr(0, 30));
  bench.turn();
  CHECK(bench.ours->shake_hands() == Handshake::under_way);
  bench.theirs.close();
  bench.ours->wait_readable();
  CHECK(bench.turn() == kReads);
  CHECK(bench.ours->shake_hands() == Handshake::failed);
  CHECK(bench.ours->tls()->failure().reason == telemetry::TlsFailureReason::closed);
}

TEST_CASE("a handshake that goes on and on is given up", "[tls_transport]") {
  Bench bench;
  bench.begin();
  // Records that say nothing: each has the beginning of one more message.
  const std::string empty{"\x16\x03\x01\x00\x01\x01", 6};
  Handshake step = Handshake::under_way;
  std::size_t said = 0;
  while (step == Handshake::under_way && said < 1'000'000) {
    bench.put(empty);
    said += empty.size();
    bench.turn();
    step = bench.ours->shake_hands();
  }
  CHECK(step == Handshake::failed);
  CHECK(said < 70'000);
}

TEST_CASE("a peer that asks for new keys again and again and takes no answer is cut off", "[tls_transport]") {
  Bench bench;
  bench.shake_hands();
  // The socket takes no more.
  const std::string text = noise(3'000'000);
  std::size_t written = 0;
  IoResult result;
  while ((result = bench.ours->write_some(base::as_bytes(text).subspan(written))).status == IoStatus::done) {
    written += result.bytes;
  }
  for (int i = 0; i < 20'000; ++i) {
    SSL_key_update(bench.client.ssl(), SSL_KEY_UPDATE_REQUESTED);
    bench.client.write("x");
    bench.put(bench.client.said());
    bench.turn();
    bench.read();
    if (bench.last.status == IoStatus::failed) break;
  }
  CHECK(bench.last.status == IoStatus::failed);
}

}  // namespace
}  // namespace wsproxy::net
