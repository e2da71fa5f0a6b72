#include <catch2/catch.hpp>

#include "tls_rig.hpp"

using namespace wsproxy;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using test::Peer;
using test::SessionRig;
using test::TlsFiles;
using test::TlsPeer;
using test::TlsTalk;

namespace {

constexpr auto kTick = 1ns;

const std::string kUpgrade =
    "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const std::string kSwitching =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

config::Config with_tls(const TlsFiles& files) {
  config::Config config;
  config.upstream.connect_timeout = 5s;
  config.upstream.url.tls = true;
  config.upstream.tls.ca = files.authority_file();
  return config;
}

std::uint64_t failed(SessionRig& rig) {
  return rig.counters().upstream_errors[static_cast<std::size_t>(telemetry::UpstreamError::tls)];
}

/// The app is called by a client's request.
std::unique_ptr<Peer> call(SessionRig& rig) {
  rig.start_app();
  rig.client.say(kUpgrade);
  rig.settle();
  auto app = rig.app_is_called();
  REQUIRE(app != nullptr);
  rig.settle();
  return app;
}

}  // namespace

TEST_CASE("An app with TLS gets the request and is relayed to, and its end is told by close_notify",
          "[tls_app]") {
  const TlsFiles files;
  SessionRig rig(with_tls(files));
  const auto peer = call(rig);
  TlsTalk app{rig, *peer, test::server_context(test::anybody()), TlsPeer::Role::server};
  CHECK_THAT(app.hear(), Catch::StartsWith("GET /chat HTTP/1.1\r\n"));
  app.say(kSwitching + "\x81\x05hello");
  CHECK_THAT(rig.client.hear(), Contains("HTTP/1.1 101 ") && Catch::EndsWith("\x81\x05hello"));
  rig.client.say(std::string{"\x88\x82\0\0\0\0\x03\xE8", 8});
  const std::string closing = app.hear();
  REQUIRE(closing.size() == 8);
  CHECK(closing[0] == '\x88');
  app.say("\x88\x02\x03\xE8");
  CHECK_FALSE(app.tls.has_ended());  // RFC 6455 section 7.1.1: the server ends first
  app.tls.say_close();
  app.settle();
  CHECK(app.tls.has_ended());  // RFC 8446 section 6.1: each says it before it closes
  CHECK(peer->is_over());
  CHECK(rig.client.hear() == "\x88\x02\x03\xE8");
  CHECK(failed(rig) == 0);
}

TEST_CASE("An app that cannot prove who it is, or speaks no TLS, is 502 at once", "[tls_app]") {
  const TlsFiles files;
  auto config = with_tls(files);
  const bool has_tls = GENERATE(false, true);
  config.upstream.tls.server_name = "other.example";
  SessionRig rig(config);
  const auto peer = call(rig);
  TlsTalk app{rig, *peer, test::server_context(test::anybody()), TlsPeer::Role::server};
  if (has_tls) {
    app.settle();
    CHECK_THAT(app.tls.failure(), Contains("alert"));
  } else {
    peer->say("HTTP/1.1 400 Bad Request\r\n\r\n");
    rig.settle();
  }
  CHECK_THAT(rig.client.hear(), Catch::StartsWith("HTTP/1.1 502 Bad Gateway\r\n"));
  CHECK(failed(rig) == 1);
}

TEST_CASE("An app that accepts and does not shake hands is 502 at upstream.connect_timeout", "[tls_app]") {
  const TlsFiles files;
  SessionRig rig(with_tls(files));
  const auto peer = call(rig);
  CHECK_FALSE(peer->hear().empty());
  rig.pass(5s - kTick);
  CHECK(rig.client.hear().empty());
  rig.pass(kTick);
  CHECK_THAT(rig.client.hear(), Catch::StartsWith("HTTP/1.1 502 Bad Gateway\r\n"));
  CHECK(failed(rig) == 1);
  CHECK(peer->is_over());
}

TEST_CASE("A header for the app goes ahead of TLS, and not a second time inside", "[tls_app]") {
  const TlsFiles files;
  auto config = with_tls(files);
  config.upstream.proxy_protocol = config::ProxyHeader::v1;
  SessionRig rig(config);
  const auto peer = call(rig);
  const std::string said = peer->hear();
  const std::string header = "PROXY UNKNOWN\r\n";
  REQUIRE(said.starts_with(header));
  TlsTalk app{rig, *peer, test::server_context(test::anybody()), TlsPeer::Role::server};
  app.tls.hear(said.substr(header.size()));
  CHECK_THAT(app.hear(), Catch::StartsWith("GET /chat HTTP/1.1\r\n"));
}

TEST_CASE("A client that goes in the middle of the app's handshake takes the app's connection along",
          "[tls_app]") {
  const TlsFiles files;
  SessionRig rig(with_tls(files));
  const auto peer = call(rig);
  peer->hear();
  rig.client.hang_up();
  rig.settle();
  CHECK(rig.is_gone());
  CHECK(peer->is_over());
  CHECK(failed(rig) == 0);
}
