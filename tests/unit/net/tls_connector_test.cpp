#include <fcntl.h>

#include "net/connector.hpp"
#include "sockets.hpp"
#include "support/manual_clock.hpp"
#include "tls_ends.hpp"

namespace wsproxy::net {
namespace {

using namespace std::chrono_literals;
using test::authority;
using test::Files;
using test::Identity;
using test::listening;
using test::port_of;
using test::run_until;
using test::TlsPeer;
using wsproxy::test::pass;
using wsproxy::test::server_context;

constexpr Clock::duration kTotal = 5s;

Identity app_for(const std::string& names) {
  wsproxy::test::Wish wish;
  wish.names = names;
  return Identity{wish, authority()};
}

/// An app and a connector on the way to it.
struct Bench {
  Files files;
  config::UpstreamTls settings = files.app();
  SslContextPtr context = server_context(app_for("IP:127.0.0.1"));
  std::unique_ptr<TlsPeer> app = std::make_unique<TlsPeer>(*context, TlsPeer::Role::server);
  Descriptor listener = listening();
  Descriptor theirs;
  IoContext io;
  Poller poller{io};
  TlsBuffers buffers;
  std::vector<ConnectResult> results;
  std::unique_ptr<Connector> connector;

  Bench() { REQUIRE(::fcntl(listener.number(), F_SETFL, O_NONBLOCK) == 0); }
  ~Bench() {
    connector.reset();
    results.clear();
    poller.stop();
    pass(io, 0s);
  }
  void start(const std::string& preface = {}) {
    connector = std::make_unique<Connector>(io, poller, Target{"127.0.0.1", port_of(listener), {}}, kTotal);
    connector->secure(Files::load(settings), buffers, preface);
    connector->start([this](ConnectResult result) { results.push_back(std::move(result)); });
    REQUIRE(run_until(io, [this] { return accept(); }));
    REQUIRE(run_until(io, [this] { return is_readable(); }));
  }
  bool accept() {
    if (!theirs.is_open()) {
      theirs = Descriptor{::accept4(listener.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    }
    return theirs.is_open();
  }
  bool is_readable() const {
    char next;
    return ::recv(theirs.number(), &next, 1, MSG_DONTWAIT | MSG_PEEK) > 0;
  }
  std::string take() const {
    std::array<char, 65536> buffer{};
    const ssize_t got = ::recv(theirs.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }
  void put(std::string_view bytes) const {
    ::send(theirs.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  /// The app does its part until there is a result.
  const ConnectResult& wait() {
    REQUIRE(run_until(io, [this] {
      app->hear(take());
      put(app->said());
      pass(io, 0s);
      return !results.empty();
    }));
    return results.front();
  }
  void expect_no_more() {
    for (int i = 0; i < 10; ++i) pass(io, kTotal);
    CHECK(results.size() == 1);
  }
};

TEST_CASE("a connection to an app with TLS is there when hands are shaken", "[tls_connector]") {
  Bench bench;
  bench.start();
  CHECK(bench.results.empty());
  const ConnectResult& result = bench.wait();
  CHECK(result.status == ConnectStatus::connected);
  CHECK(result.reason.empty());
  REQUIRE(result.transport);
  REQUIRE(result.transport->tls() != nullptr);
  CHECK_FALSE(result.transport->tls()->is_server());
  CHECK(result.transport->write_some(base::as_bytes("hello")).bytes == 5);
  REQUIRE(run_until(bench.io, [&] {
    bench.app->hear(bench.take());
    return bench.app->is_done();
  }));
  bench.app->hear(bench.take());
  CHECK(bench.app->read() == "hello");
  bench.expect_no_more();
}

TEST_CASE("a preface goes ahead of the handshake, as it is", "[tls_connector]") {
  Bench bench;
  const std::string preface = "PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n";
  bench.start(preface);
  const std::string said = bench.take();
  REQUIRE(said.starts_with(preface));
  CHECK(said[preface.size()] == 22);
  bench.app->hear(said.substr(preface.size()));
  bench.put(bench.app->said());
  CHECK(bench.wait().status == ConnectStatus::connected);
}

TEST_CASE("an app that is not whom the URL means is no connection, and asked once", "[tls_connector]") {
  Bench bench;
  SECTION("another name") {
    bench.context = server_context(app_for("IP:127.0.0.2"));
    bench.app = std::make_unique<TlsPeer>(*bench.context, TlsPeer::Role::server);
    bench.start();
    CHECK(bench.wait().reason == "certificate verify failed: IP address mismatch");
  }
  SECTION("another authority") {
    bench.settings.ca = bench.files.folder.write("other", wsproxy::test::other_authority().certificate_pem());
    bench.start();
    CHECK(bench.wait().reason == "certificate verify failed: unable to get local issuer certificate");
  }
  SECTION("no TLS at all") {
    bench.start();
    bench.take();
    bench.put("HTTP/1.1 400 Bad Request\r\n\r\n");
    REQUIRE(run_until(bench.io, [&] { return !bench.results.empty(); }));
    CHECK(bench.results.front().reason == "wrong version number");
  }
  SECTION("it hangs up") {
    bench.start();
    bench.theirs.close();
    REQUIRE(run_until(bench.io, [&] { return !bench.results.empty(); }));
    CHECK_FALSE(bench.results.front().reason.empty());
  }
  CHECK(bench.results.front().status == ConnectStatus::tls_failed);
  CHECK_FALSE(bench.results.front().transport);
  bench.theirs.close();
  bench.expect_no_more();
  CHECK_FALSE(bench.accept());
}

TEST_CASE("an app that accepts and says nothing is given up at the deadline and not before",
          "[tls_connector]") {
  Bench bench;
  bench.start();
  const bool has_begun = GENERATE(false, true);
  if (has_begun) {
    bench.app->hear(bench.take());
    bench.put(bench.app->said().substr(0, 20));
  }
  pass(bench.io, kTotal - 1ms);
  CHECK(bench.results.empty());
  pass(bench.io, 1ms);
  REQUIRE(bench.results.size() == 1);
  CHECK(bench.results.front().status == ConnectStatus::tls_failed);
  CHECK(bench.results.front().reason == "no end of the TLS handshake in time");
  bench.expect_no_more();
}

TEST_CASE("what connecting took of the time is gone for the handshake", "[tls_connector]") {
  Bench bench;
  const Descriptor deaf = test::bound();
  bench.connector =
      std::make_unique<Connector>(bench.io, bench.poller, Target{"127.0.0.1", port_of(deaf), {}}, kTotal);
  bench.connector->secure(Files::load(bench.settings), bench.buffers, {});
  bench.connector->start([&](ConnectResult result) { bench.results.push_back(std::move(result)); });
  for (int i = 0; i < 30; ++i) pass(bench.io, 100ms);
  REQUIRE(::listen(deaf.number(), 4) == 0);
  pass(bench.io, 500ms);
  const Descriptor theirs{::accept(deaf.number(), nullptr, nullptr)};
  REQUIRE(theirs.is_open());
  pass(bench.io, 1500ms - 1ms);
  CHECK(bench.results.empty());
  pass(bench.io, 1ms);
  REQUIRE(bench.results.size() == 1);
  CHECK(bench.results.front().status == ConnectStatus::tls_failed);
}

TEST_CASE("after cancel() or its end in mid-handshake a connector calls nobody", "[tls_connector]") {
  for (const bool is_destroyed : {false, true}) {
    Bench bench;
    bench.start();
    bench.app->hear(bench.take());
    bench.put(bench.app->said());
    is_destroyed ? bench.connector.reset() : bench.connector->cancel();
    for (int i = 0; i < 10; ++i) pass(bench.io, kTotal);
    CHECK(bench.results.empty());
  }
}

TEST_CASE("a connector may be destroyed by its callback at the end of a handshake", "[tls_connector]") {
  for (const bool is_good : {false, true}) {
    Bench bench;
    if (!is_good) bench.settings.server_name = "other.example";
    bench.connector = std::make_unique<Connector>(bench.io, bench.poller,
                                                  Target{"127.0.0.1", port_of(bench.listener), {}}, kTotal);
    bench.connector->secure(Files::load(bench.settings), bench.buffers, {});
    int calls = 0;
    bench.connector->start([&, held = std::make_shared<int>(1)](ConnectResult result) {
      bench.connector.reset();
      CHECK(result.status == (is_good ? ConnectStatus::connected : ConnectStatus::tls_failed));
      result.transport.reset();
      calls += *held;
    });
    REQUIRE(run_until(bench.io, [&] {
      if (bench.accept()) {
        bench.app->hear(bench.take());
        bench.put(bench.app->said());
      }
      return calls > 0;
    }));
    pass(bench.io, kTotal);
    CHECK(calls == 1);
  }
}

}  // namespace
}  // namespace wsproxy::net
