#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/socket.h>

#include "net/transport.hpp"

namespace wsproxy::net {
namespace {

/// Something that takes long. It has no descriptor, which it does not need for this.
class Work final : public Poller::Watch {
 public:
  Work(std::string name, std::vector<std::string>& done) : name_(std::move(name)), done_(done) {}
  std::function<void()> then;

 private:
  void on_events(Poller::Events) override { done_.push_back(name_ + " soon"); }
  void on_turn_alone() override {
    done_.push_back(name_);
    if (then) then();
  }
  std::string name_;
  std::vector<std::string>& done_;
};

using Done = std::vector<std::string>;

struct Bench {
  IoContext io;
  Poller poller{io};
  Done done;

  ~Bench() {
    poller.stop();
    io.poll();
  }
  Done settle() {
    for (int i = 0; i < 20; ++i) io.poll();
    return std::exchange(done, {});
  }
};

TEST_CASE("what takes long has its turn in the order in which it was asked for, once", "[poller_alone]") {
  Bench bench;
  std::vector<std::unique_ptr<Work>> all;
  Done expected;
  for (int i = 0; i < 20; ++i) {
    expected.push_back(std::to_string(i));
    all.push_back(std::make_unique<Work>(expected.back(), bench.done));
    bench.poller.call_alone(*all.back());
    bench.poller.call_alone(*all.back());
  }
  CHECK(bench.done.empty());
  CHECK(bench.settle() == expected);
  CHECK(bench.settle().empty());
}

TEST_CASE("whoever is ready comes before each of those that take long", "[poller_alone]") {
  Bench bench;
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
  const Descriptor theirs{ends[1]};
  Transport ready{bench.poller, Descriptor{ends[0]}};
  ready.set_on_ready([&](Transport::Ready) {
    std::array<std::byte, 10> bytes{};
    ready.read_some(bytes);
    bench.done.emplace_back("ready");
    ready.wait_readable();
  });
  ready.wait_readable();
  bench.settle();
  std::vector<std::unique_ptr<Work>> all;
  Done expected;
  for (int i = 0; i < 10; ++i) {
    all.push_back(std::make_unique<Work>("work", bench.done));
    all.back()->then = [&] { REQUIRE(::send(theirs.number(), "x", 1, 0) == 1); };
    bench.poller.call_alone(*all.back());
    expected.insert(expected.end(), {"work", "ready"});
  }
  CHECK(bench.settle() == expected);
}

TEST_CASE("what asks again from within comes after those that wait already", "[poller_alone]") {
  Bench bench;
  Work a{"a", bench.done};
  Work b{"b", bench.done};
  int left = 2;
  a.then = [&] {
    if (left-- > 0) bench.poller.call_alone(a);
  };
  bench.poller.call_alone(a);
  bench.poller.call_alone(b);
  CHECK(bench.settle() == Done{"a", "b", "a", "a"});
}

TEST_CASE("what is gone has no turn, and keeps nobody from theirs", "[poller_alone]") {
  Bench bench;
  Work a{"a", bench.done};
  auto b = std::make_unique<Work>("b", bench.done);
  auto c = std::make_unique<Work>("c", bench.done);
  Work d{"d", bench.done};
  for (Work* one : {&a, b.get(), c.get(), &d}) bench.poller.call_alone(*one);
  a.then = [&] { c.reset(); };
  b.reset();
  CHECK(bench.settle() == Done{"a", "d"});
}

TEST_CASE("a turn of the loop may end all that takes long, itself too", "[poller_alone]") {
  Bench bench;
  auto a = std::make_unique<Work>("a", bench.done);
  auto b = std::make_unique<Work>("b", bench.done);
  // The call outlives what it is of.
  a->then = [&] {
    const auto kept = std::move(a);
    b.reset();
    kept->then = nullptr;
  };
  bench.poller.call_alone(*a);
  bench.poller.call_alone(*b);
  CHECK(bench.settle() == Done{"a"});
}

TEST_CASE("what one throws keeps the others' turns", "[poller_alone]") {
  Bench bench;
  Work a{"a", bench.done};
  Work b{"b", bench.done};
  a.then = [] { throw std::runtime_error("a"); };
  bench.poller.call_alone(a);
  bench.poller.call_alone(b);
  CHECK_THROWS_AS(bench.settle(), std::runtime_error);
  const Done rest = bench.settle();
  CHECK(rest == Done{"a", "b"});
}

TEST_CASE("who waits for one kind of turn is called once, whichever it is", "[poller_alone]") {
  Bench bench;
  Work a{"a", bench.done};
  bench.poller.call_alone(a);
  bench.poller.call_soon(a);
  CHECK(bench.settle() == Done{"a"});
  bench.poller.call_soon(a);
  bench.poller.call_alone(a);
  CHECK(bench.settle() == Done{"a soon"});
}

}  // namespace
}  // namespace wsproxy::net
