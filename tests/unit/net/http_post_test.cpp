#include "net/http_post.hpp"

#include <optional>
#include <string>

#include "sockets.hpp"
#include "support/manual_clock.hpp"

namespace wsproxy::net {
namespace {

using namespace std::chrono_literals;
using test::listening;
using test::port_of;
using test::run_until;
using wsproxy::test::pass;

/// A post, and the other side of its connection.
struct Bench {
  IoContext io;
  Poller poller{io};
  Descriptor listener = listening();
  Descriptor peer;
  std::optional<HttpPost> post;
  std::vector<HttpPostResult> results;

  void start(std::string request) {
    post.emplace(io, poller, Target{"127.0.0.1", port_of(listener), {}});
    post->start(std::move(request), [this](HttpPostResult result) {
      results.push_back(std::move(result));
      post.reset();
    });
    CHECK(results.empty());
  }
  void accept() {
    peer = Descriptor{::accept4(listener.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    REQUIRE(peer.is_open());
  }
  std::string receive(std::size_t size) {
    std::string got;
    std::array<char, 65536> bytes{};
    REQUIRE(run_until(io, [&] {
      const ssize_t count = ::recv(peer.number(), bytes.data(), bytes.size(), 0);
      if (count > 0) got.append(bytes.data(), static_cast<std::size_t>(count));
      return got.size() >= size;
    }));
    return got;
  }
  void say(std::string_view text) {
    REQUIRE(::send(peer.number(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  }
  const HttpPostResult& wait() {
    REQUIRE(run_until(io, [this] { return !results.empty(); }));
    pass(io, 1h);
    CHECK(results.size() == 1);
    return results.front();
  }
};

TEST_CASE("a post sends its request and has the head of the answer, in whatever parts it comes") {
  Bench bench;
  const std::string request = "POST / HTTP/1.1\r\n\r\n" + std::string(3 << 20, 'x');
  bench.start(request);
  bench.accept();
  CHECK(bench.receive(request.size()) == request);
  for (const char byte :
       std::string{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 429 Slow\r\nRetry-After: 7\r\n"}) {
    bench.say({&byte, 1});
    pass(bench.io, 0s);
  }
  CHECK(bench.results.empty());
  bench.say("\r\nand a body");
  const HttpPostResult& result = bench.wait();
  CHECK(result.problem.empty());
  CHECK(result.head.status == 429);
  CHECK(result.head.fields.first("retry-after") == "7");
}

TEST_CASE("an answer before all of the request was taken is one") {
  Bench bench;
  bench.start("POST / HTTP/1.1\r\n\r\n" + std::string(std::size_t{64} << 20, 'x'));
  bench.accept();
  bench.say("HTTP/1.1 413 Too much\r\n\r\n");
  CHECK(bench.wait().head.status == 413);
}

TEST_CASE("what is no answer has a reason") {
  for (const auto& [said, reason] : {std::pair{"", "without an answer"},
                                     {"HTTP/1.1 200 OK\r\nX", "without an answer"},
                                     {"SSH-2.0-OpenSSH\r\n\r\n", "no HTTP"}}) {
    CAPTURE(said);
    Bench bench;
    bench.start("GET / HTTP/1.1\r\n\r\n");
    bench.accept();
    bench.say(said);
    ::shutdown(bench.peer.number(), SHUT_WR);
    CHECK(bench.wait().problem.find(reason) != std::string::npos);
  }
}

TEST_CASE("a head without an end is not read for ever") {
  Bench bench;
  bench.start("GET / HTTP/1.1\r\n\r\n");
  bench.accept();
  bench.say("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'));
  CHECK_FALSE(bench.wait().problem.empty());
}

TEST_CASE("who says nothing is given up in time, and not before") {
  Bench bench;
  bench.start("GET / HTTP/1.1\r\n\r\n");
  bench.accept();
  bench.receive(10);
  pass(bench.io, HttpPost::kAnswerTime - 1ms);
  CHECK(bench.results.empty());
  pass(bench.io, 1ms);
  CHECK(bench.wait().problem == "no answer in time");
}

TEST_CASE("one that is destroyed calls nobody") {
  Bench bench;
  bench.start("GET / HTTP/1.1\r\n\r\n");
  bench.accept();
  bench.receive(10);
  bench.post.reset();
  pass(bench.io, 1h);
  CHECK(bench.results.empty());
}

}  // namespace
}  // namespace wsproxy::net
