#include "net/tls_error.hpp"
#include "net/transport.hpp"
#include "tls_socket.hpp"

namespace wsproxy::net {
namespace {

using test::Calls;
using test::noise;
using Bench = test::TlsSocket;
using Handshake = Transport::Handshake;

const Calls kReads{"reads"};
const Calls kNone;

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

TEST_CASE("bytes that are no record are a failure, but no truncation", "[tls_transport]") {
  Bench bench;
  bench.shake_hands();
  bench.put("no record at all");
  bench.turn();
  CHECK(bench.read().empty());
  CHECK(bench.last.status == IoStatus::failed);
  CHECK_FALSE(bench.last.error == make_error_code(TlsError::truncated));
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
