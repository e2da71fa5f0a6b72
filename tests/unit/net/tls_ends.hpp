#pragma once

#include <functional>
#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include "net/tls_client.hpp"
#include "net/tls_server.hpp"
#include "net/tls_stream.hpp"
#include "net/tls_ticket_keys.hpp"
#include "support/certificates.hpp"
#include "support/tls_peer.hpp"

/// TLS between two ends in memory, of which at least one is the proxy's.
namespace wsproxy::net::test {

using wsproxy::test::authority;
using wsproxy::test::converse;
using wsproxy::test::Identity;
using wsproxy::test::TemporaryFolder;
using wsproxy::test::TlsPeer;

/// The proxy's end: a stream and what a socket would carry for it.
class End {
 public:
  explicit End(std::function<std::unique_ptr<TlsStream>(TlsBuffers&)> begin,
               std::size_t room = std::size_t{64} << 10)
      : stream_(begin(buffers_)), into_(room, '\0') {}

  End(const End&) = delete;  // the stream knows where the buffers are
  End& operator=(const End&) = delete;

  TlsStream& stream() { return *stream_; }
  void hear(std::string_view bytes) {
    if (step_ == TlsStream::Step::needs_more) {
      step_ = stream_->shake_hands(base::as_bytes(bytes), buffers_.sealed);
      bytes = {};
    }
    if (step_ == TlsStream::Step::done && (!bytes.empty() || stream_->has_input())) read(bytes);
  }
  /// One call, and those that it says are worth it.
  void read(std::string_view bytes) {
    do {
      const auto opened = stream_->open(base::as_bytes(bytes), std::as_writable_bytes(std::span{into_}));
      plain_.append(into_, 0, opened.bytes);
      state_ = opened.state;
      bytes = {};
    } while (state_ == TlsStream::State::open && stream_->has_input());
  }
  std::string said() {
    std::string bytes{base::as_text(buffers_.sealed.view())};
    buffers_.sealed.clear();
    return bytes;
  }
  void write(std::string_view plain) { CHECK(stream_->seal(base::as_bytes(plain), Clock::now())); }

  /// The buffers of a connection that has been idle.
  void cool_all() {
    buffers_.warm(*stream_);
    buffers_.keep_house();
    buffers_.keep_house();
    CHECK(buffers_.warm_streams() == 0);
  }

  TlsStream::Step step() const { return step_; }
  bool is_done() const { return step_ == TlsStream::Step::done; }
  TlsStream::State state() const { return state_; }
  std::string read() { return std::exchange(plain_, {}); }
  const char* reason() const { return telemetry::kTlsFailureNames[index(stream_->failure().reason)]; }
  const std::string& detail() const { return stream_->failure().detail; }

 private:
  TlsBuffers buffers_;
  std::unique_ptr<TlsStream> stream_;
  TlsStream::Step step_ = TlsStream::Step::needs_more;
  TlsStream::State state_ = TlsStream::State::open;
  std::string into_;
  std::string plain_;
};

/// Files for listeners and apps, and what they become.
class Files {
 public:
  TemporaryFolder folder;
  TlsTicketKeys tickets;

  config::Certificate write(const std::string& name, const Identity& identity) const {
    return {folder.write(name + ".crt", identity.certificate_pem()),
            folder.write(name + ".key", identity.key_pem())};
  }
  /// A listener with one certificate.
  config::ListenerTls listener(const Identity& identity) const {
    config::ListenerTls settings;
    const config::Certificate files = write("server", identity);
    settings.certificate = files.certificate;
    settings.private_key = files.private_key;
    return settings;
  }
  std::string authority_file() const {
    return folder.write("ca.crt", wsproxy::test::authority().certificate_pem());
  }
  /// An app whose certificate the authority has signed.
  config::UpstreamTls app() const {
    config::UpstreamTls settings;
    settings.ca = authority_file();
    return settings;
  }
  std::shared_ptr<const TlsServer> load(const config::ListenerTls& settings,
                                        const std::string& key = "listeners[0].tls") {
    TlsProblems problems;
    auto server = TlsServer::load(settings, key, tickets, problems);
    for (const TlsProblem& problem : problems) UNSCOPED_INFO(problem.key << " " << problem.text);
    REQUIRE(server);
    return server;
  }
  static std::shared_ptr<const TlsClient> load(const config::UpstreamTls& settings) {
    TlsProblems problems;
    auto client = TlsClient::load(settings, "upstream.tls", problems);
    for (const TlsProblem& problem : problems) UNSCOPED_INFO(problem.key << " " << problem.text);
    REQUIRE(client);
    return client;
  }
};

inline End accepted(const TlsServer& server) {
  return End{[&](TlsBuffers& buffers) { return server.accept(buffers); }};
}
inline End connected(const TlsClient& client, const std::string& host = "a.example") {
  return End{[&](TlsBuffers& buffers) { return client.connect(host, buffers); }};
}

/// What everybody here shows who has nothing else to show: for a.example, by the authority.
inline const Identity& anybody() {
  static const Identity made{{.names = "DNS:a.example"}, authority()};
  return made;
}

}  // namespace wsproxy::net::test
