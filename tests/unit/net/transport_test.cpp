#include "net/transport.hpp"

#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <sys/socket.h>

namespace wsproxy::net {
namespace {

using Ready = Transport::Ready;

struct Pair {
  Descriptor ours;
  Descriptor theirs;
};

Pair unix_pair() {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  return {Descriptor{ends[0]}, Descriptor{ends[1]}};
}

Pair tcp_pair() {
  const Descriptor listener{::socket(AF_INET, SOCK_STREAM, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(listener.number(), generic, size) == 0);
  REQUIRE(::listen(listener.number(), 1) == 0);
  REQUIRE(::getsockname(listener.number(), generic, &size) == 0);
  Pair pair{{}, Descriptor{::socket(AF_INET, SOCK_STREAM, 0)}};
  REQUIRE(::connect(pair.theirs.number(), generic, size) == 0);
  pair.ours = Descriptor{::accept(listener.number(), nullptr, nullptr)};
  return pair;
}

void say(const Descriptor& end, std::string_view text) {
  REQUIRE(::send(end.number(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

/// A loop with transports whose calls are noted.
struct Bench {
  IoContext io;
  Poller poller{io};
  std::vector<std::string> calls;

  Transport::OnReady note(const std::string& who) {
    return
        [this, who](Ready ready) { calls.push_back(who + (ready == Ready::reading ? " reads" : " writes")); };
  }
  /// All that is ready now is told; what needs a later event is not waited for.
  std::vector<std::string> turn() {
    for (int i = 0; i < 4; ++i) io.poll();
    return std::exchange(calls, {});
  }
};

std::string read(Transport& from, std::size_t most = 100) {
  std::string text(most, '\0');
  const IoResult result = from.read_some(std::as_writable_bytes(std::span{text}));
  switch (result.status) {
    case IoStatus::done:
      return text.substr(0, result.bytes);
    case IoStatus::would_block:
      return "(nothing)";
    case IoStatus::end_of_file:
      return "(end)";
    case IoStatus::failed:
      break;
  }
  return "(failed)";
}

using Calls = std::vector<std::string>;
const Calls kNone;
const Calls kReads{"a reads"};

TEST_CASE("who waits is told once, for bytes that came before or after", "[transport]") {
  for (const bool is_tcp : {false, true}) {
    Pair pair = is_tcp ? tcp_pair() : unix_pair();
    Bench bench;
    Transport a{bench.poller, std::move(pair.ours), bench.note("a")};
    CHECK(bench.turn() == kNone);

    a.wait_readable();
    CHECK(bench.turn() == kNone);
    say(pair.theirs, "one");
    CHECK(bench.turn() == kReads);
    CHECK(read(a) == "one");
    CHECK(bench.turn() == kNone);

    say(pair.theirs, "two");
    CHECK(bench.turn() == kNone);  // nobody waits
    a.wait_readable();
    CHECK(a.waits_readable());
    CHECK(bench.turn() == kReads);
    CHECK_FALSE(a.waits_readable());
    CHECK(read(a) == "two");
    CHECK(read(a) == "(nothing)");
    a.wait_readable();
    CHECK(bench.turn() == kNone);
  }
}

TEST_CASE("what a read leaves behind is no new edge, and is told all the same", "[transport]") {
  Pair pair = unix_pair();
  Bench bench;
  Transport a{bench.poller, std::move(pair.ours), bench.note("a")};
  say(pair.theirs, "abcdef");
  a.wait_readable();
  REQUIRE(bench.turn() == kReads);
  CHECK(read(a, 3) == "abc");
  a.wait_readable();
  CHECK(bench.turn() == kReads);
  CHECK(read(a, 100) == "def");
  a.wait_readable();
  CHECK(bench.turn() == kNone);
}

TEST_CASE("an end of file behind the last bytes is told", "[transport]") {
  for (const bool is_tcp : {false, true}) {
    for (const bool comes_with_them : {false, true}) {
      CAPTURE(is_tcp, comes_with_them);
      Pair pair = is_tcp ? tcp_pair() : unix_pair();
      Bench bench;
      Transport a{bench.poller, std::move(pair.ours), bench.note("a")};
      a.wait_readable();
      say(pair.theirs, "last");
      if (comes_with_them) ::shutdown(pair.theirs.number(), SHUT_WR);
      REQUIRE(bench.turn() == kReads);
      CHECK(read(a) == "last");
      a.wait_readable();
      if (!comes_with_them) {
        CHECK(bench.turn() == kNone);
        ::shutdown(pair.theirs.number(), SHUT_WR);
      }
      CHECK(bench.turn() == kReads);
      CHECK(read(a) == "(end)");
    }
  }
}

TEST_CASE("a reset is told and read as a failure", "[transport]") {
  Pair pair = tcp_pair();
  Bench bench;
  Transport a{bench.poller, std::move(pair.ours), bench.note("a")};
  {
    Transport b{bench.poller, std::move(pair.theirs), bench.note("b")};
    b.reset();
  }
  a.wait_readable();
  CHECK(bench.turn() == kReads);
  CHECK(read(a) == "(failed)");
}

TEST_CASE("a failed write is told who waits to read, and fails the read behind what came before",
          "[transport]") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()) == 0);
  Pair pair{Descriptor{ends[0]}, Descriptor{ends[1]}};
  Bench bench;
  Transport a{bench.poller, std::move(pair.ours), bench.note("a")};
  a.wait_readable();
  CHECK(bench.turn() == kNone);
  say(pair.theirs, "last words");
  // EMSGSIZE, in which the peer has no part.
  CHECK(a.write_some(std::vector<std::byte>(8 << 20)).status == IoStatus::failed);
  CHECK(bench.turn() == kReads);
  CHECK(read(a) == "last words");
  a.wait_readable();
  CHECK(bench.turn() == kReads);
  CHECK(read(a) == "(failed)");
}

TEST_CASE("what a peer has said is read to its end when it listens no more", "[transport]") {
  for (const bool is_tcp : {false, true}) {
    CAPTURE(is_tcp);
    Pair pair = is_tcp ? tcp_pair() : unix_pair();
    Bench bench;
    Transport a{bench.poller, std::move(pair.ours), bench.note("a")};
    say(pair.theirs, "last words");
    pair.theirs.close();
    while (a.write_some(base::as_bytes("unheard")).status != IoStatus::failed) bench.turn();
    CHECK(a.write_some(base::as_bytes("unheard")).error == asio::error::broken_pipe);
    a.wait_readable();
    CHECK(bench.turn() == kReads);
    CHECK(read(a) == "last words");
    a.wait_readable();
    CHECK(bench.turn() == kReads);
    CHECK(read(a) == "(end)");
  }
}

TEST_CASE("what a peer goes on saying is read when our own direction has ended", "[transport]") {
  for (const bool is_tcp : {false, true}) {
    CAPTURE(is_tcp);
    Pair pair = is_tcp ? tcp_pair() : unix_pair();
    Bench bench;
    Transport a{bench.poller, std::move(pair.ours), bench.note("a")};
    a.wait_readable();
    a.shut_down_send();
    CHECK(a.write_some(base::as_bytes("too late")).status == IoStatus::failed);
    CHECK(bench.turn() == kNone);
    say(pair.theirs, "more");
    CHECK(bench.turn() == kReads);
    CHECK(read(a) == "more");
  }
}

TEST_CASE("room to write is told when the peer has made it", "[transport]") {
  for (const bool is_tcp : {false, true}) {
    Pair pair = is_tcp ? tcp_pair() : unix_pair();
    Bench bench;
    Transport a{bench.poller, std::move(pair.ours), bench.note("a")};
    a.wait_writable();
    CHECK(bench.turn() == Calls{"a writes"});

    const std::vector<std::byte> chunk(64 * 1024);
    std::size_t sent = 0;
    IoResult result;
    while ((result = a.write_some(chunk)).status == IoStatus::done) sent += result.bytes;
    REQUIRE(result.status == IoStatus::would_block);
    a.wait_writable();
    CHECK(bench.turn() == kNone);

    std::vector<std::byte> sink(1 << 20);
    while (sent > 0) {
      const ssize_t got = ::recv(pair.theirs.number(), sink.data(), sink.size(), 0);
      REQUIRE(got > 0);
      sent -= static_cast<std::size_t>(got);
    }
    CHECK(bench.turn() == Calls{"a writes"});
  }
}

TEST_CASE("what the peer's kernel has not acknowledged becomes less when the peer reads", "[transport]") {
  Pair pair = tcp_pair();
  Bench bench;
  Transport a{bench.poller, std::move(pair.ours)};
  CHECK(a.unacknowledged() == 0);

  const std::vector<std::byte> chunk(64 * 1024);
  std::size_t sent = 0;
  IoResult result;
  while ((result = a.write_some(chunk)).status == IoStatus::done) sent += result.bytes;
  REQUIRE(result.status == IoStatus::would_block);
  const std::uint32_t full = a.unacknowledged();
  CHECK(full > 0);

  std::vector<std::byte> sink(1 << 20);
  while (sent > 0) {
    const ssize_t got = ::recv(pair.theirs.number(), sink.data(), sink.size(), 0);
    REQUIRE(got > 0);
    sent -= static_cast<std::size_t>(got);
  }
  CHECK(a.unacknowledged() < full);
}

TEST_CASE("a transport that another one ends in the same turn hears nothing", "[transport]") {
  enum class Way { edge, call_soon_to_read, call_soon_to_write };
  for (const Way way : {Way::edge, Way::call_soon_to_read, Way::call_soon_to_write}) {
    Pair first = unix_pair();
    Pair second = unix_pair();
    Bench bench;
    std::optional<Transport> a;
    std::optional<Transport> b;
    a.emplace(bench.poller, std::move(first.ours), [&](Ready) {
      bench.calls.emplace_back("a");
      b.reset();
    });
    b.emplace(bench.poller, std::move(second.ours), [&](Ready) {
      bench.calls.emplace_back("b");
      a.reset();
    });
    say(first.theirs, "x");
    say(second.theirs, "x");
    if (way != Way::edge) CHECK(bench.turn() == kNone);
    for (Transport* each : {&*a, &*b}) {
      if (way == Way::call_soon_to_write) {
        each->wait_writable();
      } else {
        each->wait_readable();
      }
    }
    CHECK(bench.turn().size() == 1);
  }
}

TEST_CASE("what one transport's owner throws keeps no edge from the others", "[transport]") {
  for (const bool is_asked_for : {false, true}) {
    Pair first = unix_pair();
    Pair second = unix_pair();
    Bench bench;
    Transport a{bench.poller, std::move(first.ours), [](Ready) { throw std::runtime_error("a"); }};
    Transport b{bench.poller, std::move(second.ours), bench.note("b")};
    say(first.theirs, "x");
    say(second.theirs, "x");
    if (is_asked_for) CHECK(bench.turn() == kNone);
    a.wait_readable();
    b.wait_readable();
    CHECK_THROWS_AS(bench.turn(), std::runtime_error);
    CHECK(bench.turn() == Calls{"b reads"});
    say(second.theirs, "y");
    b.wait_readable();
    CHECK(bench.turn() == Calls{"b reads"});
  }
}

TEST_CASE("a transport may be destroyed by its own call, told to read or to write", "[transport]") {
  for (const bool is_write : {false, true}) {
    Pair pair = unix_pair();
    Bench bench;
    auto a = std::make_unique<Transport>(bench.poller, std::move(pair.ours));
    a->set_on_ready([&, held = std::make_shared<std::string>("a is gone")](Ready) {
      a.reset();
      bench.calls.push_back(*held);
    });
    say(pair.theirs, "x");
    if (is_write) a->wait_writable();
    a->wait_readable();
    CHECK(bench.turn() == Calls{"a is gone"});
  }
}

TEST_CASE("a transport that is handed over within a call tells the new owner only", "[transport]") {
  Pair pair = unix_pair();
  Bench bench;
  Transport a{bench.poller, std::move(pair.ours)};
  a.set_on_ready([&](Ready) { a.set_on_ready(bench.note("b")); });
  say(pair.theirs, "x");
  a.wait_readable();
  CHECK(bench.turn() == kNone);
  a.wait_readable();
  CHECK(bench.turn() == Calls{"b reads"});
  a.set_on_ready([&](Ready) { throw std::runtime_error("a"); });
  a.wait_readable();
  CHECK_THROWS_AS(bench.turn(), std::runtime_error);
  a.wait_readable();
  CHECK_THROWS_AS(bench.turn(), std::runtime_error);
}

TEST_CASE("the loop ends when the poller has stopped", "[transport]") {
  Bench bench;
  bench.poller.stop();
  CHECK(bench.io.run() <= 1);
}

}  // namespace
}  // namespace wsproxy::net
