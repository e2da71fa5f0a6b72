#include "proxy/app_pool.hpp"

#include <array>

#include <catch2/catch.hpp>
#include <sys/socket.h>

namespace wsproxy::proxy {
namespace {

/// A worker's loop, and connections to an app that the test plays.
struct Bench {
  net::IoContext io;
  net::Poller poller{io};
  AppPool pool;
  std::array<AppPtr, 2> apps{std::make_shared<App>(config::Upstream{}),
                             std::make_shared<App>(config::Upstream{})};

  struct Connection {
    std::unique_ptr<net::Transport> ours;
    net::Descriptor theirs;
  };
  Connection connect() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
    return {std::make_unique<net::Transport>(poller, net::Descriptor{ends[0]}), net::Descriptor{ends[1]}};
  }
  /// All that is ready now is told.
  void turn() {
    for (int i = 0; i < 4; ++i) io.poll();
  }
};

TEST_CASE("The connection that was used last is used next, and only for its own app") {
  Bench bench;
  auto first = bench.connect(), second = bench.connect(), other = bench.connect();
  const net::Transport* const used_last = second.ours.get();
  bench.pool.put(bench.apps[0], std::move(first.ours));
  bench.pool.put(bench.apps[0], std::move(second.ours));
  bench.pool.put(bench.apps[1], std::move(other.ours));
  CHECK(bench.pool.take(bench.apps[0]).get() == used_last);
  CHECK(bench.pool.take(bench.apps[0]) != nullptr);
  CHECK(bench.pool.take(bench.apps[0]) == nullptr);
  CHECK(bench.pool.size() == 1);
}

TEST_CASE("9112 9.3: a connection that its app closes while it is idle is gone") {
  Bench bench;
  auto connection = bench.connect();
  bench.pool.put(bench.apps[0], std::move(connection.ours));
  bench.turn();
  REQUIRE(bench.pool.size() == 1);
  connection.theirs.close();
  bench.turn();
  CHECK(bench.pool.size() == 0);
}

TEST_CASE("An app that speaks unasked is not asked again on that connection") {
  Bench bench;
  auto connection = bench.connect();
  bench.pool.put(bench.apps[0], std::move(connection.ours));
  REQUIRE(::send(connection.theirs.number(), "x", 1, MSG_NOSIGNAL) == 1);
  bench.turn();
  CHECK(bench.pool.size() == 0);
  std::byte left{};
  CHECK(::recv(connection.theirs.number(), &left, 1, MSG_DONTWAIT) == 0);
}

TEST_CASE("One that has been told of something that was read already stays") {
  Bench bench;
  auto connection = bench.connect();
  REQUIRE(::send(connection.theirs.number(), "x", 1, MSG_NOSIGNAL) == 1);
  bench.turn();
  std::array<std::byte, 1> all{};
  REQUIRE(connection.ours->read_some(all).bytes == 1);
  bench.pool.put(bench.apps[0], std::move(connection.ours));
  bench.turn();
  CHECK(bench.pool.size() == 1);
}

TEST_CASE("The pool is small: who came first goes first") {
  Bench bench;
  std::vector<net::Descriptor> apps;
  for (int i = 0; i < 65; ++i) {
    auto connection = bench.connect();
    bench.pool.put(bench.apps[0], std::move(connection.ours));
    apps.push_back(std::move(connection.theirs));
  }
  CHECK(bench.pool.size() == 64);
  std::byte left{};
  CHECK(::recv(apps.front().number(), &left, 1, MSG_DONTWAIT) == 0);
  CHECK(::recv(apps[1].number(), &left, 1, MSG_DONTWAIT) == -1);
}

TEST_CASE("One that was taken is not the pool's any more") {
  Bench bench;
  auto connection = bench.connect();
  bench.pool.put(bench.apps[0], std::move(connection.ours));
  const auto taken = bench.pool.take(bench.apps[0]);
  REQUIRE(taken);
  int told = 0;
  taken->set_on_ready([&told](net::Transport::Ready) { ++told; });
  taken->wait_readable();
  connection.theirs.close();
  bench.turn();
  CHECK(told == 1);
  CHECK(taken->is_open());
}

}  // namespace
}  // namespace wsproxy::proxy
