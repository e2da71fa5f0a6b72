#include "server/listener_set.hpp"

#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "net/descriptor.hpp"
#include "support/kept_log.hpp"

namespace wsproxy::server {
namespace {

sockaddr_in at(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

net::Descriptor new_socket() {
  return net::Descriptor{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
}

/// A port that nobody listens on, most probably.
std::uint16_t free_port() {
  const net::Descriptor socket = new_socket();
  sockaddr_in address = at(0);
  socklen_t size = sizeof address;
  if (::bind(socket.number(), reinterpret_cast<sockaddr*>(&address), size) != 0)
    throw std::runtime_error("bind");
  ::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

struct Bench {
  net::IoContext io;
  test::KeptLog log;
  std::vector<std::size_t> accepted;  // on which
  std::function<void()> on_accept = [] {};
  ListenerSet set{io, log.log(), [this](net::AcceptedSocket, std::size_t listener) {
                    accepted.push_back(listener);
                    on_accept();
                  }};

  ~Bench() { set.stop(); }

  /// Whether somebody listens there.
  bool connects(std::uint16_t port) {
    connections.push_back(new_socket());
    const sockaddr_in address = at(port);
    return ::connect(connections.back().number(), reinterpret_cast<const sockaddr*>(&address),
                     sizeof address) == 0;
  }
  void turn() {
    for (int i = 0; i < 10; ++i) io.poll();
  }
  std::vector<net::Descriptor> connections;
};

config::Listener listener(std::uint16_t port, const std::string& host = "127.0.0.1") {
  config::Listener result;
  result.address = {host, port, {}};
  return result;
}

TEST_CASE("listeners come, stay and go, and who comes is told by the new place", "[listener_set]") {
  Bench bench;
  const std::uint16_t a = free_port(), b = free_port(), c = free_port();
  bench.set.change({listener(a), listener(b)});
  bench.set.start();
  CHECK(bench.connects(a));
  CHECK(bench.connects(b));
  bench.turn();
  CHECK(bench.accepted.size() == 2);
  bench.accepted.clear();
  bench.set.change({listener(c), listener(b)});
  CHECK_FALSE(bench.connects(a));
  CHECK(bench.connects(b));
  bench.turn();
  CHECK(bench.accepted == std::vector<std::size_t>{1});
  bench.set.change({listener(b), listener(c)});
  CHECK(bench.connects(b));
  bench.turn();
  CHECK(bench.accepted == std::vector<std::size_t>{1, 0});
  CHECK(bench.connects(c));
  bench.turn();
  CHECK(bench.accepted == std::vector<std::size_t>{1, 0, 1});
}

TEST_CASE("who has connected already is not lost when its listener goes", "[listener_set]") {
  Bench bench;
  const std::uint16_t a = free_port(), b = free_port();
  bench.set.change({listener(a)});
  bench.set.start();
  for (int i = 0; i < 5; ++i) CHECK(bench.connects(a));
  bench.set.change({listener(b)});
  CHECK(bench.accepted == std::vector<std::size_t>(5, 0));
  for (int i = 0; i < 3; ++i) CHECK(bench.connects(b));
  bench.set.finish();
  CHECK(bench.accepted.size() == 8);
  CHECK_FALSE(bench.connects(b));
}

TEST_CASE("when one cannot be opened all is as before", "[listener_set]") {
  Bench bench;
  Bench other;
  const std::uint16_t a = free_port(), b = free_port(), taken = free_port();
  other.set.change({listener(taken)});
  bench.set.change({listener(a)});
  bench.set.start();
  CHECK_THROWS_WITH(bench.set.change({listener(b), listener(taken)}),
                    Catch::Matchers::Contains("cannot listen on 127.0.0.1:" + std::to_string(taken)));
  CHECK_FALSE(bench.connects(b));
  CHECK(bench.connects(a));
  bench.turn();
  CHECK(bench.accepted == std::vector<std::size_t>{0});
}

TEST_CASE("an address may take the place of one that has its port", "[listener_set]") {
  Bench bench;
  const std::uint16_t port = free_port();
  bench.set.change({listener(port)});
  bench.set.start();
  bench.set.change({listener(port, "0.0.0.0")});
  CHECK(bench.connects(port));
  bench.turn();
  CHECK(bench.accepted.size() == 1);
}

TEST_CASE("one that left for another is back when that fails", "[listener_set]") {
  Bench bench;
  Bench other;
  const std::uint16_t port = free_port(), taken = free_port();
  other.set.change({listener(taken)});
  bench.set.change({listener(port)});
  bench.set.start();
  CHECK_THROWS(bench.set.change({listener(port, "0.0.0.0"), listener(taken)}));
  CHECK(bench.connects(port));
  bench.turn();
  CHECK(bench.accepted == std::vector<std::size_t>{0});
}

#ifndef __SANITIZE_ADDRESS__  // UBSan itself needs descriptors to look at what is thrown
TEST_CASE("one that could not be opened again is opened by the next configuration", "[listener_set]") {
  Bench bench;
  const std::uint16_t port = free_port();
  bench.set.change({listener(port)});
  bench.set.start();
  CHECK(bench.connects(port));  // is handed over when the listener leaves, and that is when descriptors end
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  bench.on_accept = [&before] {
    const rlimit none{0, before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  };
  CHECK_THROWS(bench.set.change({listener(port, "0.0.0.0")}));
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(bench.accepted.size() == 1);
  CHECK_FALSE(bench.connects(port));
  bench.set.change({listener(port)});
  CHECK(bench.connects(port));
  CHECK_THAT(bench.log.lines(), Catch::Matchers::Contains("could not be opened again listener="));
}
#endif

TEST_CASE("two listeners on ports of the system's choice stay two", "[listener_set]") {
  Bench bench;
  bench.set.change({listener(0), listener(0)});
  bench.set.start();
  bench.set.change({listener(0), listener(0), listener(0)});
  const std::string& lines = bench.log.lines();
  std::size_t listening = 0;
  for (auto at = lines.find(" listening "); at != std::string::npos; at = lines.find(" listening ", at + 1))
    ++listening;
  CHECK(listening == 3);
  CHECK_THAT(lines, !Catch::Matchers::Contains("no longer"));
}

}  // namespace
}  // namespace wsproxy::server
