#include "net/tls_stream.hpp"

#include <random>

#include <openssl/err.h>

#include "support/splits.hpp"
#include "tls_ends.hpp"

namespace wsproxy::net {
namespace {

using test::accepted;
using test::anybody;
using test::connected;
using test::converse;
using test::End;
using test::Files;
using test::TlsPeer;
using wsproxy::test::Split;
using State = TlsStream::State;

struct Pair {
  Files files;
  std::shared_ptr<const TlsServer> server;
  std::shared_ptr<const TlsClient> client;

  explicit Pair(const char* min_version = "1.2") {
    auto settings = files.listener(anybody());
    settings.min_version = min_version;
    server = files.load(settings);
    client = Files::load(files.app());
  }
};

std::string noise(std::size_t size) {
  std::string text(size, '\0');
  std::minstd_rand random{static_cast<unsigned>(size)};
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

using Cut = std::function<Split(base::Bytes)>;
const std::vector<Cut>& cuts() {
  static const std::vector<Cut> all = [] {
    std::vector<Cut> made{wsproxy::test::whole, wsproxy::test::byte_by_byte};
    for (unsigned i = 0; i < 5; ++i) {
      made.emplace_back([seed = Catch::rngSeed() * 5 + i](base::Bytes bytes) {
        return wsproxy::test::random_cuts(bytes, seed);
      });
    }
    return made;
  }();
  return all;
}

/// What an end says comes to the other one in pieces.
template <class A, class B>
void carry(A& from, B& to, const Cut& cut) {
  const std::string said = from.said();
  const Split split = cut(base::as_bytes(said));
  for (const auto& piece : split.pieces) {
    // Memory of the call only.
    if (!piece.empty()) to.hear(base::as_text(piece));
  }
}

template <class A, class B>
void shake_hands(A& a, B& b, const Cut& cut = wsproxy::test::whole) {
  a.hear({});
  b.hear({});
  for (int i = 0; i < 4; ++i) {
    carry(a, b, cut);
    carry(b, a, cut);
  }
}

TEST_CASE("two ends shake hands however their bytes are cut, in both versions", "[tls_stream]") {
  const Pair pair;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto context = wsproxy::test::client_context(wsproxy::test::only_version(version));
    for (std::size_t i = 0; i < cuts().size(); ++i) {
      CAPTURE(version, i, Catch::rngSeed());
      End server = accepted(*pair.server);
      TlsPeer client{*context};
      shake_hands(client, server, cuts()[i]);
      CHECK(server.is_done());
      CHECK(client.is_done());
      CHECK(server.stream().is_version_1_3() == (version == TLS1_3_VERSION));
      CHECK_FALSE(server.stream().is_resumed());
      client.write("hello");
      server.write("welcome");
      carry(client, server, cuts()[i]);
      carry(server, client, cuts()[i]);
      CHECK(server.read() == "hello");
      CHECK(client.read() == "welcome");
    }
  }
}

TEST_CASE("the proxy as a client shakes hands however the app's bytes are cut", "[tls_stream]") {
  const Pair pair;
  for (std::size_t i = 0; i < cuts().size(); ++i) {
    CAPTURE(i, Catch::rngSeed());
    End server = accepted(*pair.server);
    End client = connected(*pair.client);
    CHECK_FALSE(client.stream().has_heard());
    shake_hands(client, server, cuts()[i]);
    CHECK(server.is_done());
    CHECK(client.is_done());
    CHECK(client.stream().has_heard());
    CHECK_FALSE(client.stream().is_server());
    CHECK(server.stream().is_server());
  }
}

TEST_CASE("bytes of any size arrive as they were, both ways, however they are cut", "[tls_stream]") {
  const Pair pair;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1369}, std::size_t{1370},
                                 std::size_t{16384}, std::size_t{16385}, std::size_t{100'000}}) {
    for (std::size_t i = 0; i < cuts().size(); ++i) {
      CAPTURE(size, i, Catch::rngSeed());
      End server = accepted(*pair.server);
      End client = connected(*pair.client);
      shake_hands(client, server);
      const std::string up = noise(size);
      const std::string down = noise(size + 1);
      client.write(up);
      server.write(down);
      carry(client, server, cuts()[i]);
      carry(server, client, cuts()[i]);
      const bool is_up_there = server.read() == up;
      const bool is_down_there = client.read() == down;
      CHECK(is_up_there);
      CHECK(is_down_there);
    }
  }
}

TEST_CASE("three megabytes pass in one call", "[tls_stream]") {
  const Pair pair;
  End server = accepted(*pair.server);
  End client = connected(*pair.client);
  shake_hands(client, server);
  const std::string much = noise(3'000'000);
  client.write(much);
  carry(client, server, wsproxy::test::whole);
  const bool is_there = server.read() == much;
  CHECK(is_there);
}

TEST_CASE("a reader with little space gets everything in order, without any new bytes", "[tls_stream]") {
  const Pair pair;
  const std::string text = noise(50'000);
  for (const std::size_t room : {std::size_t{1}, std::size_t{100}, std::size_t{16384}, std::size_t{50'000}}) {
    CAPTURE(room);
    End server{[&](TlsBuffers& buffers) { return pair.server->accept(buffers); }, room};
    End client = connected(*pair.client);
    shake_hands(client, server);
    client.write(text);
    carry(client, server, wsproxy::test::whole);
    const bool is_all = server.read() == text;
    CHECK(is_all);
    CHECK_FALSE(server.stream().has_input());
  }
}

TEST_CASE("what came right behind the handshake is the first thing to be read", "[tls_stream]") {
  const Pair pair;
  const auto context = wsproxy::test::client_context(wsproxy::test::only_version(TLS1_3_VERSION));
  TlsBuffers buffers;
  const auto server = pair.server->accept(buffers);
  TlsPeer client{*context};
  client.hear({});
  CHECK(server->shake_hands(base::as_bytes(client.said()), buffers.sealed) == TlsStream::Step::needs_more);
  client.hear(base::as_text(buffers.sealed.view()));
  buffers.sealed.clear();
  client.write("GET /");
  CHECK(server->shake_hands(base::as_bytes(client.said()), buffers.sealed) == TlsStream::Step::done);
  CHECK(server->has_input());
  std::string into(100, '\0');
  const auto opened = server->open({}, std::as_writable_bytes(std::span{into}));
  CHECK(into.substr(0, opened.bytes) == "GET /");
  CHECK(opened.state == State::open);
  CHECK_FALSE(server->has_input());
}

TEST_CASE("close_notify ends what can be read, behind the last bytes, and not what can be said",
          "[tls_stream]") {
  const Pair pair;
  for (std::size_t i = 0; i < cuts().size(); ++i) {
    CAPTURE(i, Catch::rngSeed());
    End server = accepted(*pair.server);
    End client = connected(*pair.client);
    shake_hands(client, server);
    client.write("last words");
    client.stream().say_close();
    carry(client, server, cuts()[i]);
    CHECK(server.read() == "last words");
    CHECK(server.state() == State::closed);
    CHECK(server.stream().has_input());
    server.write("answer");
    server.stream().say_close();
    carry(server, client, cuts()[i]);
    CHECK(client.read() == "answer");
    CHECK(client.state() == State::closed);
    CHECK(client.detail() == "");
  }
}

TEST_CASE("what another connection's failure left in OpenSSL's queue of errors is not this one's",
          "[tls_stream]") {
  const Pair pair;
  End server = accepted(*pair.server);
  End client = connected(*pair.client);
  shake_hands(client, server);
  ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
  server.read({});
  CHECK(server.state() == State::open);
}

TEST_CASE("a stream that has not shaken hands has no close_notify to say", "[tls_stream]") {
  const Pair pair;
  End server = accepted(*pair.server);
  server.stream().say_close();
  CHECK(server.said() == "");
}

TEST_CASE("8446 5.2: records that were changed on the way end the connection for good", "[tls_stream]") {
  const Pair pair;
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{5}, std::size_t{20}}) {
    CAPTURE(at);
    End server = accepted(*pair.server);
    End client = connected(*pair.client);
    shake_hands(client, server);
    client.write("one");
    const std::string good = client.said();
    client.write("two");
    std::string bent = client.said();
    bent[at] = static_cast<char>(bent[at] ^ 0x80);
    server.hear(good + bent);
    CHECK(server.read() == "one");
    CHECK(server.state() == State::failed);
    CHECK(server.detail() != "");
    CHECK(server.said() != "");  // an alert
    const std::string detail = server.detail();
    client.write("three");
    server.hear(client.said());
    CHECK(server.read() == "");
    CHECK(server.state() == State::failed);
    CHECK(server.detail() == detail);
    CHECK_FALSE(server.stream().seal(base::as_bytes("x"), Clock::now()));
  }
}

TEST_CASE("8446 4.6.3: a few key updates are obeyed, a flood of them ends the connection", "[tls_stream]") {
  const Pair pair{"1.3"};
  const auto context = wsproxy::test::client_context();
  for (const int updates : {1, 30, 1000}) {
    CAPTURE(updates);
    End server = accepted(*pair.server);
    TlsPeer client{*context};
    shake_hands(client, server);
    for (int i = 0; i < updates; ++i) {
      REQUIRE(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
      REQUIRE(SSL_do_handshake(client.ssl()) == 1);
    }
    client.write("after it");
    server.hear(client.said());
    if (updates < 64) {
      CHECK(server.read() == "after it");
      CHECK(server.state() == State::open);
    } else {
      CHECK(server.read() == "");
      CHECK(server.state() == State::failed);
      CHECK(server.detail() == "too many records without data");
    }
  }
}

TEST_CASE("CVE-2024-4741: a buffer is not given back between a record's header and its body",
          "[tls_stream]") {
  const Pair pair;
  End server = accepted(*pair.server);
  End client = connected(*pair.client);
  shake_hands(client, server);
  client.write("in two parts");
  const std::string record = client.said();
  for (const std::size_t cut : {std::size_t{3}, std::size_t{5}, std::size_t{6}, record.size() - 1}) {
    CAPTURE(cut);
    if (cut != 3) client.write("in two parts");
    const std::string bytes = cut == 3 ? record : client.said();
    server.hear(bytes.substr(0, cut));
    server.cool_all();
    server.hear(bytes.substr(cut));
    CHECK(server.read() == "in two parts");
  }
}

TEST_CASE("a record that comes twice, or out of its order, is refused", "[tls_stream]") {
  const Pair pair;
  End server = accepted(*pair.server);
  End client = connected(*pair.client);
  shake_hands(client, server);
  client.write("one");
  const std::string first = client.said();
  client.write("two");
  const std::string second = client.said();
  const bool is_twice = GENERATE(false, true);
  server.hear(is_twice ? first + first : second + first);
  CHECK(server.read() == (is_twice ? "one" : ""));
  CHECK(server.state() == State::failed);
}

}  // namespace
}  // namespace wsproxy::net
