#include "net/connector.hpp"

#include <filesystem>
#include <optional>
#include <string>

#include <sys/un.h>

#include "sockets.hpp"
#include "support/manual_clock.hpp"
#include "support/manual_names.hpp"

namespace wsproxy::net {
namespace {

using namespace std::chrono_literals;
using test::BlackHole;
using test::bound;
using test::listening;
using test::port_of;
using test::run_until;
using wsproxy::test::HeldName;
using wsproxy::test::look_ups;
using wsproxy::test::pass;
using wsproxy::test::set_name;

constexpr Clock::duration kTotal = 5s;

/// A connector whose calls are noted.
struct Bench {
  IoContext io;
  Poller poller{io};
  std::vector<ConnectResult> results;
  std::unique_ptr<Connector> connector;

  void start(Target target, Clock::duration total = kTotal) {
    connector = std::make_unique<Connector>(io, poller, std::move(target), total);
    connector->start([this](ConnectResult result) { results.push_back(std::move(result)); });
    CHECK(results.empty());
  }
  const ConnectResult& wait() {
    REQUIRE(run_until(io, [this] { return !results.empty(); }));
    return results.front();
  }
  void wait_connected() {
    const ConnectResult& result = wait();
    CHECK(result.status == ConnectStatus::connected);
    CHECK(result.reason.empty());
    REQUIRE(result.transport);
    expect_no_more();
  }
  /// What has been asked about a name so far has been answered.
  void settle(const std::string& name) {
    bool is_answered = false;
    const NameLookup behind_all{io, name, [&](const FoundAddresses&) { is_answered = true; }};
    REQUIRE(run_until(io, [&] { return is_answered; }));
    pass(io, 0s);
  }
  /// Nothing comes, whatever time passes.
  void expect_no_more() {
    const std::size_t before = results.size();
    for (int i = 0; i < 10; ++i) pass(io, kTotal);
    CHECK(results.size() == before);
  }
};

struct UnixPath {
  UnixPath() {
    std::string name = "/tmp/wsproxy-connector-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
  }
  ~UnixPath() { std::filesystem::remove_all(folder); }
  std::string path() const { return folder + "/app.sock"; }
  Descriptor listen() const {
    Descriptor socket{::socket(AF_UNIX, SOCK_STREAM, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(socket.number(), 4) == 0);
    return socket;
  }
  std::string folder;
};

void expect_bytes_pass(Transport& transport, const Descriptor& listener) {
  const Descriptor app{::accept(listener.number(), nullptr, nullptr)};
  REQUIRE(app.is_open());
  CHECK(transport.write_some(base::as_bytes("hello")).bytes == 5);
  std::string got(5, '\0');
  CHECK(::recv(app.number(), got.data(), got.size(), 0) == 5);
  CHECK(got == "hello");
}

TEST_CASE("an address is connected to, and told of once and not from within start()", "[connector]") {
  const Descriptor app = listening();
  Bench bench;
  bench.start({"127.0.0.1", port_of(app), {}});
  bench.wait_connected();
  expect_bytes_pass(*bench.results.front().transport, app);
}

TEST_CASE("a path is connected to, and told of once and not from within start()", "[connector]") {
  const UnixPath place;
  const Descriptor app = place.listen();
  Bench bench;
  bench.start({{}, 0, place.path()});
  bench.wait_connected();
  expect_bytes_pass(*bench.results.front().transport, app);
}

TEST_CASE("who gets the connection hears of what came before it asked", "[connector]") {
  const Descriptor app = listening();
  Bench bench;
  bench.start({"127.0.0.1", port_of(app), {}});
  bench.wait_connected();
  const Descriptor theirs{::accept(app.number(), nullptr, nullptr)};
  REQUIRE(::send(theirs.number(), "x", 1, 0) == 1);
  pass(bench.io, 0s);
  bool is_told = false;
  Transport& transport = *bench.results.front().transport;
  transport.set_on_ready([&](Transport::Ready ready) { is_told = ready == Transport::Ready::reading; });
  transport.wait_readable();
  CHECK(run_until(bench.io, [&] { return is_told; }));
}

TEST_CASE("an app that is still starting is tried again after 10 ms, then after twice as long",
          "[connector]") {
  const Descriptor app = bound();
  Bench bench;
  bench.start({"127.0.0.1", port_of(app), {}});
  pass(bench.io, 0s);
  Clock::duration pause = 10ms;
  for (int i = 0; i < 3; ++i, pause *= 2) {
    pass(bench.io, pause - 1ms);
    pass(bench.io, 1ms);
  }
  REQUIRE(::listen(app.number(), 4) == 0);
  pass(bench.io, pause - 1ms);
  CHECK(bench.results.empty());
  pass(bench.io, 1ms);
  bench.wait_connected();
}

TEST_CASE("pauses do not grow over 500 ms", "[connector]") {
  const Descriptor app = bound();
  Bench bench;
  bench.start({"127.0.0.1", port_of(app), {}}, 60s);
  for (int i = 0; i < 20; ++i) pass(bench.io, 500ms);
  REQUIRE(::listen(app.number(), 4) == 0);
  pass(bench.io, 500ms);
  bench.wait_connected();
}

TEST_CASE("an address that refuses is given up at the deadline and not before", "[connector]") {
  const Descriptor app = bound();
  Bench bench;
  bench.start({"127.0.0.1", port_of(app), {}});
  for (Clock::duration passed{}; passed < kTotal - 1ms; passed += 1ms) pass(bench.io, 1ms);
  CHECK(bench.results.empty());
  pass(bench.io, 1ms);
  CHECK(bench.wait().status == ConnectStatus::refused);
  CHECK(bench.wait().reason == "Connection refused");
  CHECK_FALSE(bench.wait().transport);
  bench.expect_no_more();
}

TEST_CASE("a connection that cannot be watched is tried again like one that was refused", "[connector]") {
  const UnixPath place;
  const Descriptor on_path = place.listen();
  const Descriptor on_port = listening();
  for (const Target& target : {Target{{}, 0, place.path()}, Target{"127.0.0.1", port_of(on_port), {}}}) {
    Bench bench;
    bench.poller.stop();  // epoll_ctl() fails from now on
    bench.start(target);
    pass(bench.io, kTotal - 1ms);
    CHECK(bench.results.empty());
    pass(bench.io, 1ms);
    const ConnectResult& result = bench.wait();
    CHECK(result.status == ConnectStatus::refused);
    CHECK(result.reason == "Bad file descriptor");
  }
}

TEST_CASE("a path without a socket is given up at the deadline, or connected to when it comes",
          "[connector]") {
  const UnixPath place;
  Bench bench;
  bench.start({{}, 0, place.path()});
  std::optional<Descriptor> app;
  SECTION("it comes") {
    pass(bench.io, 1s);
    app = place.listen();
    pass(bench.io, 500ms);
    bench.wait_connected();
  }
  SECTION("it does not") {
    pass(bench.io, kTotal);
    CHECK(bench.wait().status == ConnectStatus::refused);
    CHECK(bench.wait().reason == "No such file or directory");
    bench.expect_no_more();
  }
}

TEST_CASE("an address that does not answer has timed out at the deadline", "[connector]") {
  const BlackHole hole;
  Bench bench;
  bench.start({"127.0.0.1", hole.port(), {}});
  pass(bench.io, kTotal - 1ms);
  CHECK(bench.results.empty());
  pass(bench.io, 1ms);
  CHECK(bench.wait().status == ConnectStatus::timed_out);
  CHECK(bench.wait().reason == "Connection timed out");
  bench.expect_no_more();
}

TEST_CASE("the addresses of a name are tried in turn", "[connector]") {
  const Descriptor app = listening();
  for (const std::vector<std::string>& addresses : {std::vector<std::string>{"127.0.0.1"},
                                                    {"127.0.0.3", "127.0.0.2", "127.0.0.1"},
                                                    {"::1", "127.0.0.1"},
                                                    {"127.0.0.1", "::1"}}) {
    set_name("app", addresses);
    Bench bench;
    bench.start({"app", port_of(app), {}});
    bench.wait_connected();
    expect_bytes_pass(*bench.results.front().transport, app);
  }
}

TEST_CASE("an address that does not answer leaves the others their share of the time", "[connector]") {
  const Descriptor app = listening();
  const BlackHole first{"127.0.0.2", port_of(app)};
  const BlackHole second{"127.0.0.3", port_of(app)};
  set_name("app", {"127.0.0.2", "127.0.0.3", "127.0.0.1"});
  const auto connects_after = [&](Clock::duration total, Clock::duration time) {
    Bench bench;
    bench.start({"app", port_of(app), {}}, total);
    bench.settle("app");
    for (Clock::duration passed{}; passed < time - 1ms; passed += 1ms) pass(bench.io, 1ms);
    CHECK(bench.results.empty());
    pass(bench.io, 1ms);
    bench.wait_connected();
  };
  connects_after(6s, 4s);        // 6/3, then 4/2
  connects_after(600ms, 500ms);  // at least 250 ms each
}

TEST_CASE("a name that means nothing is asked for again until the deadline", "[connector]") {
  set_name("app", {});
  const Descriptor app = listening();
  Bench bench;
  bench.start({"app", port_of(app), {}});
  bench.settle("app");
  for (int i = 0; i < 3; ++i) {
    const unsigned before = look_ups("app");
    pass(bench.io, 500ms);
    REQUIRE(run_until(bench.io, [&] { return look_ups("app") > before; }));
    bench.settle("app");
  }
  CHECK(bench.results.empty());
  SECTION("it is found") {
    set_name("app", {"127.0.0.1"});
    pass(bench.io, 500ms);
    bench.wait_connected();
  }
  SECTION("it is not") {
    pass(bench.io, kTotal);
    CHECK(bench.wait().status == ConnectStatus::unresolved);
    CHECK(bench.wait().reason == "Host not found (authoritative)");
    bench.expect_no_more();
  }
}

TEST_CASE("a name is looked up for each try: its app may have moved", "[connector]") {
  const Descriptor app = listening();
  set_name("app", {"127.0.0.2"});
  Bench bench;
  bench.start({"app", port_of(app), {}});
  bench.settle("app");
  set_name("app", {"127.0.0.1"});
  pass(bench.io, 500ms);
  bench.wait_connected();
}

TEST_CASE("a name server that does not answer is waited for until the deadline", "[connector]") {
  const HeldName held{"slow"};
  Bench bench;
  bench.start({"slow", 1, {}});
  REQUIRE(run_until(bench.io, [] { return look_ups("slow") > 0; }));
  pass(bench.io, kTotal - 1ms);
  CHECK(bench.results.empty());
  pass(bench.io, 1ms);
  CHECK(bench.wait().status == ConnectStatus::unresolved);
  CHECK(bench.wait().reason == "Connection timed out");
  bench.expect_no_more();
}

/// What a connector can be doing; each leaves it at that.
struct Doing {
  const char* what;
  std::function<void(Bench&)> begin;
};

TEST_CASE("after cancel() or its end a connector calls nobody, whatever it was doing", "[connector]") {
  const Descriptor app = listening();
  const Descriptor deaf = bound();
  const BlackHole hole;
  const UnixPath place;
  const Descriptor local = place.listen();
  const auto held = std::make_unique<HeldName>("held");
  set_name("held", {"127.0.0.1"});
  const std::vector<Doing> all{
      {"just started",
       [&](Bench& b) {
         b.start({"127.0.0.1", port_of(app), {}});
       }},
      {"connected at once",
       [&](Bench& b) {
         b.start({{}, 0, place.path()});
       }},
      {"connecting",
       [&](Bench& b) {
         b.start({"127.0.0.1", hole.port(), {}});
       }},
      {"connecting, with a timer",
       [&](Bench& b) {
         b.start({"127.0.0.1", hole.port(), {}}), pass(b.io, 1ms);
       }},
      {"pausing",
       [&](Bench& b) {
         b.start({"127.0.0.1", port_of(deaf), {}}), pass(b.io, 1ms);
       }},
      {"resolving",
       [&](Bench& b) {
         b.start({"held", port_of(app), {}});
       }},
  };
  for (const Doing& doing : all) {
    for (const bool is_destroyed : {false, true}) {
      CAPTURE(doing.what, is_destroyed);
      Bench bench;
      doing.begin(bench);
      CHECK(bench.results.empty());
      if (is_destroyed) {
        bench.connector.reset();
      } else {
        bench.connector->cancel();
      }
      bench.expect_no_more();
    }
  }
}

TEST_CASE("an answer that is on its way when the connector ends reaches nobody", "[connector]") {
  set_name("late", {"127.0.0.1"});
  const Descriptor app = listening();
  for (const bool is_given : {false, true}) {
    Bench bench;
    auto held = std::make_unique<HeldName>("late");
    bench.start({"late", port_of(app), {}});
    if (is_given) {
      // The loop does not run, so the answer waits in it.
      IoContext other;
      bool is_answered = false;
      const NameLookup same{other, "late", [&](const FoundAddresses&) { is_answered = true; }};
      held.reset();
      Poller keeps_running{other};
      REQUIRE(run_until(other, [&] { return is_answered; }));
    }
    bench.connector.reset();
    held.reset();
    bench.settle("late");
    bench.expect_no_more();
    CHECK(bench.results.empty());
  }
}

TEST_CASE("a connector that another one ends in the same turn calls nobody", "[connector]") {
  const Descriptor app = listening();
  const Descriptor deaf = bound();
  for (const Descriptor* target : {&app, &deaf}) {
    Bench a;
    std::unique_ptr<Connector> b;
    const auto start = [&](std::unique_ptr<Connector>& one, std::unique_ptr<Connector>& other) {
      one = std::make_unique<Connector>(a.io, a.poller, Target{"127.0.0.1", port_of(*target), {}}, 1s);
      one->start([&](ConnectResult result) {
        a.results.push_back(std::move(result));
        other.reset();
      });
    };
    start(a.connector, b);
    start(b, a.connector);
    for (int i = 0; i < 100; ++i) pass(a.io, 10ms);
    CHECK(a.results.size() == 1);
  }
}

TEST_CASE("a connector may be destroyed, and the connection with it, by its callback", "[connector]") {
  const Descriptor app = listening();
  const Descriptor deaf = bound();
  const UnixPath place;
  const Descriptor local = place.listen();
  set_name("app", {"127.0.0.1"});
  for (const Target& target : {Target{"127.0.0.1", port_of(app), {}}, Target{{}, 0, place.path()},
                               Target{"app", port_of(app), {}}, Target{"127.0.0.1", port_of(deaf), {}}}) {
    IoContext io;
    Poller poller{io};
    auto connector = std::make_unique<Connector>(io, poller, target, 1s);
    int calls = 0;
    connector->start([&, held = std::make_shared<int>(0)](ConnectResult result) {
      connector.reset();
      result.transport.reset();
      calls += 1 + *held;
    });
    CHECK(run_until(io, [&] {
      pass(io, 100ms);
      return calls > 0;
    }));
    pass(io, 10s);
    CHECK(calls == 1);
  }
}

}  // namespace
}  // namespace wsproxy::net
