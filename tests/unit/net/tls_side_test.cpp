#include <array>

#include <sys/socket.h>

#include "net/side_thread.hpp"
#include "net/transport.hpp"
#include "sockets.hpp"
#include "tls_ends.hpp"

namespace wsproxy::net {
namespace {

using test::anybody;
using test::Files;
using test::run_until;
using test::TlsPeer;
using wsproxy::test::client_context;
using wsproxy::test::only_version;
using Handshake = Transport::Handshake;

/// A listener's end of a connection whose handshake another thread makes.
struct Bench {
  Files files;
  std::shared_ptr<const TlsServer> server = files.load(files.listener(anybody()));
  SslContextPtr context;
  TlsPeer client;
  IoContext io;
  Poller poller{io};
  SideThread side{io};
  TlsBuffers buffers;
  Descriptor theirs;
  std::unique_ptr<Transport> ours;
  int calls = 0;
  Handshake step = Handshake::under_way;

  explicit Bench(int version = TLS1_3_VERSION)
      : context(client_context(only_version(version))), client(*context) {
    buffers.side = &side;
    buffers.spares_loop = true;
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
    theirs = Descriptor{ends[1]};
    ours = std::make_unique<Transport>(poller, Descriptor{ends[0]}, [this](Transport::Ready) {
      ++calls;
      step = ours->shake_hands();
      if (step == Handshake::under_way) ours->wait_readable();
    });
    ours->begin_tls(server->accept(buffers), buffers);
    ours->wait_readable();
    client.hear({});
  }
  ~Bench() {
    ours.reset();
    poller.stop();
    io.poll();
  }
  void client_speaks() {
    const std::string said = client.said();
    if (!said.empty()) {
      REQUIRE(::send(theirs.number(), said.data(), said.size(), MSG_NOSIGNAL) ==
              static_cast<ssize_t>(said.size()));
    }
  }
  void client_hears() {
    std::array<char, 65536> bytes{};
    const ssize_t got = ::recv(theirs.number(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got > 0) client.hear({bytes.data(), static_cast<std::size_t>(got)});
  }
  /// The first step has gone to the other thread, and nothing is known of it yet.
  void begin() {
    client_speaks();
    REQUIRE(run_until(io, [this] { return calls > 0; }));
  }
};

TEST_CASE("a handshake beside the loop comes to the same end as one in it", "[tls_side]") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Bench bench{version};
    bench.begin();
    CHECK(bench.step == Handshake::under_way);
    REQUIRE(run_until(bench.io, [&] {
      bench.client_hears();
      bench.client_speaks();
      return bench.step != Handshake::under_way && bench.client.is_done();
    }));
    CHECK(bench.step == Handshake::done);
    REQUIRE(bench.ours->tls() != nullptr);
    CHECK(bench.ours->tls()->is_version_1_3() == (version == TLS1_3_VERSION));
    CHECK(bench.ours->write_some(base::as_bytes("welcome")).status == IoStatus::done);
    bench.client_hears();
    CHECK(bench.client.read() == "welcome");
  }
}

TEST_CASE("while another thread has the handshake there is nothing to see of it", "[tls_side]") {
  Bench bench;
  bench.client_speaks();
  // The loop is not run in between, so that the end of the step cannot be told.
  REQUIRE(run_until(bench.io, [&] { return bench.calls > 0; }));
  CHECK(bench.ours->tls() == nullptr);
  REQUIRE(run_until(bench.io, [&] { return bench.ours->tls() != nullptr; }));
}

TEST_CASE("a failure beside the loop is told with its reason and its alert", "[tls_side]") {
  Bench bench{TLS1_1_VERSION};
  bench.begin();
  REQUIRE(run_until(bench.io, [&] { return bench.step != Handshake::under_way; }));
  CHECK(bench.step == Handshake::failed);
  REQUIRE(bench.ours->tls() != nullptr);
  CHECK(bench.ours->tls()->failure().reason == telemetry::TlsFailureReason::protocol_version);
  bench.client_hears();
  CHECK_FALSE(bench.client.failure().empty());
}

TEST_CASE("a transport may go while another thread has its handshake", "[tls_side]") {
  for (int i = 0; i < 20; ++i) {
    Bench bench;
    bench.begin();
    if (i % 2 == 0) bench.ours->close();
    bench.ours.reset();
    bool is_through = false;  // with what was to be done before
    bench.side.run([] {}, [&] { is_through = true; });
    REQUIRE(run_until(bench.io, [&] { return is_through; }));
    CHECK(bench.calls == 1);
    CHECK(bench.buffers.warm_streams() == 0);
  }
}

TEST_CASE("the side thread may end with work that nobody has begun", "[tls_side]") {
  IoContext io;
  int done = 0;
  std::atomic<int> worked{0};
  {
    SideThread side{io};
    for (int i = 0; i < 1000; ++i) side.run([&] { ++worked; }, [&] { ++done; });
  }
  io.run();
  CHECK(done <= worked);
}

TEST_CASE("work is done in its order, and what follows comes on the loop", "[tls_side]") {
  IoContext io;
  std::vector<int> worked;
  std::vector<int> done;
  SideThread side{io};
  const auto loop = std::this_thread::get_id();
  const auto keeps_running = boost::asio::make_work_guard(io);
  for (int i = 0; i < 10; ++i) {
    side.run(
        [&worked, loop, i] {
          if (std::this_thread::get_id() != loop) worked.push_back(i);
        },
        [&done, loop, i] {
          if (std::this_thread::get_id() == loop) done.push_back(i);
        });
  }
  REQUIRE(run_until(io, [&] { return done.size() == 10; }));
  const std::vector<int> expected{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  CHECK(worked == expected);
  CHECK(done == expected);
}

TEST_CASE("without messages that would wait a handshake stays in the loop", "[tls_side]") {
  Bench bench;
  bench.buffers.spares_loop = false;
  bench.client_speaks();
  REQUIRE(run_until(bench.io, [&] { return bench.calls > 0; }));
  CHECK(bench.ours->tls() != nullptr);
  bench.client_hears();
  CHECK(bench.client.is_done());
}

}  // namespace
}  // namespace wsproxy::net
