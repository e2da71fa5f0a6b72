#pragma once

#include <array>
#include <random>

#include <sys/socket.h>

#include "net/transport.hpp"
#include "tls_ends.hpp"

/// TLS over a socket whose other end a test holds.
namespace wsproxy::net::test {

using Calls = std::vector<std::string>;

inline std::string noise(std::size_t size) {
  std::string text(size, '\0');
  std::minstd_rand random{7};
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

/// A listener's end of a connection, on a loop of its own, and a client whose socket a test holds.
struct TlsSocket {
  Files files;
  std::shared_ptr<const TlsServer> server = files.load(files.listener(anybody()));
  SslContextPtr context;
  TlsPeer client;
  IoContext io;
  Poller poller{io};
  TlsBuffers buffers;
  Descriptor theirs;
  std::unique_ptr<Transport> ours;
  Calls calls;

  explicit TlsSocket(int version = TLS1_3_VERSION)
      : context(wsproxy::test::client_context(wsproxy::test::only_version(version))), client(*context) {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
    theirs = Descriptor{ends[1]};
    ours = std::make_unique<Transport>(poller, Descriptor{ends[0]}, [this](Transport::Ready ready) {
      calls.emplace_back(ready == Transport::Ready::reading ? "reads" : "writes");
    });
  }
  ~TlsSocket() {
    ours.reset();
    poller.stop();
    turn();
  }
  void begin(const AheadOfTls& ahead = {}) { ours->begin_tls(server->accept(buffers), buffers, ahead); }
  /// With the client, until both are done.
  void shake_hands() {
    begin();
    client.hear({});
    auto step = Transport::Handshake::under_way;
    for (int i = 0; i < 4 && step == Transport::Handshake::under_way; ++i) {
      client_speaks();
      turn();
      step = ours->shake_hands();
      client.hear(take());
    }
    REQUIRE(step == Transport::Handshake::done);
    REQUIRE(client.is_done());
    calls.clear();
  }
  void client_speaks() { put(client.said()); }
  Calls turn() {
    for (int i = 0; i < 4; ++i) io.poll();
    return std::exchange(calls, {});
  }
  /// What the client's socket has.
  std::string take(std::size_t most = std::size_t{16} << 20) const {
    std::string all;
    std::array<char, 65536> buffer{};
    while (all.size() < most) {
      const std::size_t size = std::min(buffer.size(), most - all.size());
      const ssize_t got = ::recv(theirs.number(), buffer.data(), size, MSG_DONTWAIT);
      if (got <= 0) break;
      all.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return all;
  }
  void put(std::string_view bytes) const {
    if (bytes.empty()) return;
    REQUIRE(::send(theirs.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  void client_writes(std::string_view plain) {
    client.write(plain);
    put(client.said());
  }
  bool is_at_end() const {
    char next;
    return ::recv(theirs.number(), &next, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
  }
  std::string read(std::size_t most = 65536) {
    std::string text(most, '\0');
    last = ours->read_some(std::as_writable_bytes(std::span{text}));
    return text.substr(0, last.bytes);
  }
  IoResult last;
};

}  // namespace wsproxy::net::test
