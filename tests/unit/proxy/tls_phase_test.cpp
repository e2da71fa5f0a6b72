#include <numeric>

#include <catch2/catch.hpp>

#include "tls_rig.hpp"

using namespace wsproxy;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using telemetry::Rejection;
using telemetry::TlsFailureReason;
using test::client_context;
using test::SessionRig;
using test::TlsFiles;
using test::TlsTalk;

namespace {

constexpr auto kTick = 1ns;

const std::string kUpgrade =
    "GET /chat HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

config::Config with_tls(const TlsFiles& files) {
  config::Config config;
  config.timeouts.handshake = 10s;
  config.timeouts.close = 5s;
  config.listeners.at(0).tls = files.listener();
  return config;
}

std::string first_flight() {
  const auto context = client_context();
  test::TlsPeer client{*context};
  client.hear({});
  return client.said();
}

/// What was counted of this connection: the one failure of its handshake, or nothing.
std::string failure(SessionRig& rig) {
  const auto& counts = rig.counters().tls_failures;
  const auto sum = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  if (sum == 0) return "none";
  CHECK(sum == 1);
  std::size_t at = 0;
  while (counts[at] == 0) ++at;
  return telemetry::kTlsFailureNames[at];
}

std::uint64_t rejected(SessionRig& rig, Rejection reason = Rejection::tls) {
  return rig.counters().rejected[static_cast<std::size_t>(reason)];
}

std::uint64_t ended(SessionRig& rig, telemetry::ConnectionResult result) {
  return rig.counters().listeners.begin()->second.total[static_cast<std::size_t>(result)];
}

std::uint64_t handshakes(SessionRig& rig) {
  std::uint64_t sum = 0;
  for (const auto& version : rig.counters().tls_handshakes) sum += version[0] + version[1];
  return sum;
}

}  // namespace

TEST_CASE("Behind a handshake the request goes on as ever, and the app hears of https", "[tls_phase]") {
  const TlsFiles files;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SessionRig rig(with_tls(files));
    rig.start_app();
    TlsTalk client{rig, rig.client, client_context(test::only_version(version))};
    client.say(kUpgrade.substr(0, 30));
    CHECK(rig.counters().tls_handshakes[version == TLS1_3_VERSION ? 1 : 0][0] == 1);
    CHECK(handshakes(rig) == 1);
    client.say(kUpgrade.substr(30));
    const auto app = rig.app_is_called();
    REQUIRE(app != nullptr);
    CHECK_THAT(app->hear(), Contains("\r\nX-Forwarded-Proto: https\r\n") && Contains(";proto=https\r\n") &&
                                !Contains("X-Forwarded-Client-Cert"));
    app->say(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x05hello");
    rig.settle();
    CHECK_THAT(client.hear(), Contains("HTTP/1.1 101 ") && Catch::EndsWith("\x81\x05hello"));
    CHECK(failure(rig) == "none");
    CHECK(rejected(rig) == 0);
  }
}

TEST_CASE("A client that says nothing is let go at timeouts.handshake, and it was no TLS that failed",
          "[tls_phase]") {
  const TlsFiles files;
  SessionRig rig(with_tls(files));
  rig.pass(10s - kTick);
  CHECK_FALSE(rig.client.is_over());
  rig.pass(kTick);
  CHECK(rig.client.hear().empty());
  CHECK(rig.client.is_over());
  CHECK(rig.is_gone());
  CHECK(failure(rig) == "none");
  CHECK(rejected(rig, Rejection::handshake_timeout) == 1);
  CHECK(rejected(rig) == 0);
}

TEST_CASE("A handshake that stops in the middle, or trickles, is cut at timeouts.handshake", "[tls_phase]") {
  const TlsFiles files;
  SessionRig rig(with_tls(files));
  const std::string hello = first_flight();
  const bool is_answered = GENERATE(false, true);
  if (is_answered) {
    rig.client.say(hello);
    rig.settle();
    CHECK_FALSE(rig.client.hear().empty());
  }
  for (std::size_t second = 0; second < 9; ++second) {
    if (!is_answered) rig.client.say(hello.substr(second, 1));
    rig.pass(1s);
  }
  rig.pass(1s - kTick);
  CHECK_FALSE(rig.client.is_over());
  rig.pass(kTick);
  rig.client.hear();
  CHECK(rig.client.is_over());
  CHECK(rig.is_gone());
  CHECK(failure(rig) == "timeout");
  CHECK(rejected(rig) == 1);
  CHECK(ended(rig, telemetry::ConnectionResult::rejected) == 1);
}

TEST_CASE("What the handshake took of timeouts.handshake is gone for the request", "[tls_phase]") {
  const TlsFiles files;
  SessionRig rig(with_tls(files));
  rig.pass(9s);
  TlsTalk client{rig, rig.client, client_context()};
  client.say("GET");
  CHECK(handshakes(rig) == 1);
  rig.pass(1s - kTick);
  CHECK(client.hear().empty());
  rig.pass(kTick);
  CHECK_THAT(client.hear(), Catch::StartsWith("HTTP/1.1 408 "));
  CHECK(client.tls.has_ended());
  CHECK(failure(rig) == "none");
  CHECK(rejected(rig, Rejection::handshake_timeout) == 1);
}

TEST_CASE("HTTP without TLS gets an answer that everybody can read", "[tls_phase]") {
  const TlsFiles files;
  SessionRig rig(with_tls(files));
  rig.client.say(kUpgrade);
  rig.settle();
  const std::string answer = rig.client.hear();
  CHECK_THAT(answer, Catch::StartsWith("HTTP/1.1 400 Bad Request\r\n") &&
                         Contains("This port speaks TLS: use https:// or wss://.") &&
                         Contains("Connection: close", Catch::CaseSensitive::No));
  CHECK(rig.client.is_over());
  CHECK(failure(rig) == "plain_http");
  CHECK(rejected(rig) == 1);
  CHECK(ended(rig, telemetry::ConnectionResult::rejected) == 1);
  rig.client.hang_up();
  rig.settle();
  CHECK(rig.is_gone());
}

TEST_CASE("Who speaks something else gets an alert and is let go", "[tls_phase]") {
  const TlsFiles files;
  SessionRig rig(with_tls(files));
  rig.client.say(std::string{"\x16\x03\x01\x00\x05hello", 10});
  rig.settle();
  const std::string answer = rig.client.hear();
  REQUIRE(answer.size() == 7);
  CHECK(answer[0] == 21);
  CHECK(rig.client.is_over());
  CHECK(failure(rig) == "garbage");
  CHECK(rejected(rig) == 1);
  rig.pass(2s);
  CHECK(rig.is_gone());
}

TEST_CASE("A client that cannot agree with us hears so by an alert, and what for is counted", "[tls_phase]") {
  const TlsFiles files;
  auto config = with_tls(files);
  test::Adjust adjust;
  std::string reason;
  SECTION("its versions are old") {
    adjust = test::only_version(TLS1_1_VERSION);
    reason = "protocol_version";
  }
  SECTION("it offers other protocols") {
    adjust = [](SSL_CTX* context) {
      const unsigned char h2[] = {2, 'h', '2'};
      SSL_CTX_set_alpn_protos(context, h2, sizeof h2);
    };
    reason = "alpn";
  }
  SECTION("it has no certificate") {
    config.listeners[0].tls->client_ca = files.authority_file();
    reason = "no_certificate";
  }
  SECTION("it does not believe us") {
    adjust = [](SSL_CTX* context) { test::believe(context, test::other_authority()); };
    reason = "alert";
  }
  SessionRig rig(config);
  TlsTalk client{rig, rig.client, client_context(adjust)};
  client.settle();
  CHECK(client.tls.failure() != "");
  CHECK(failure(rig) == reason);
  CHECK(rejected(rig) == 1);
  CHECK(handshakes(rig) == 0);
  CHECK(rig.client.is_over());
  rig.client.hang_up();
  rig.settle();
  CHECK(rig.is_gone());
}

TEST_CASE("A connection that ends before its first byte is no error; one that ends later is", "[tls_phase]") {
  const TlsFiles files;
  SessionRig rig(with_tls(files));
  const bool has_begun = GENERATE(false, true);
  if (has_begun) rig.client.say(first_flight().substr(0, 40));
  rig.settle();
  rig.client.hang_up();
  rig.settle();
  CHECK(rig.is_gone());
  CHECK(failure(rig) == (has_begun ? "closed" : "none"));
  CHECK(rejected(rig) == (has_begun ? 1 : 0));
}

TEST_CASE("A drain ends a handshake that is under way", "[tls_phase]") {
  const TlsFiles files;
  SessionRig rig(with_tls(files));
  const bool has_begun = GENERATE(false, true);
  if (has_begun) rig.client.say(first_flight());
  rig.settle();
  rig.session().drain(net::Clock::now());
  rig.settle();
  CHECK_FALSE(rig.is_gone());  // it has only just come
  rig.pass(1s);
  rig.client.hear();
  CHECK(rig.client.is_over());
  CHECK(rig.is_gone());
  CHECK(failure(rig) == "none");
}

TEST_CASE("A balancer's header comes ahead of TLS, together with it or alone", "[tls_phase]") {
  const TlsFiles files;
  auto config = with_tls(files);
  config.listeners[0].proxy_protocol = true;
  SessionRig rig(config);
  rig.start_app();
  TlsTalk client{rig, rig.client, client_context()};
  const std::string header = "PROXY TCP4 192.0.2.7 192.0.2.8 1000 443\r\n";
  client.tls.hear({});
  const std::string hello = client.tls.said();
  const std::size_t with_header = GENERATE(0U, 1U, 100U, 10'000U);
  rig.client.say(header + hello.substr(0, with_header));
  rig.settle();
  if (with_header < hello.size()) rig.client.say(hello.substr(with_header));
  client.say(kUpgrade);
  const auto app = rig.app_is_called();
  REQUIRE(app != nullptr);
  CHECK_THAT(app->hear(),
             Contains("\r\nX-Forwarded-For: 192.0.2.7\r\n") && Contains("\r\nX-Forwarded-Proto: https\r\n"));
}

TEST_CASE("The app hears who a client is by its certificate, and nothing that it only says", "[tls_phase]") {
  const TlsFiles files;
  auto config = with_tls(files);
  config.listeners[0].tls->client_ca = files.authority_file();
  const test::Identity someone{{.common_name = "some one", .names = "URI:spiffe://a/b,DNS:c.example"},
                               test::authority()};
  SessionRig rig(config);
  rig.start_app();
  TlsTalk client{rig, rig.client, client_context([&](SSL_CTX* context) { test::use(context, someone); })};
  std::string request = kUpgrade;
  request.insert(request.find("Host:"),
                 "X-Forwarded-Client-Cert: Hash=admin\r\nX_Forwarded_Client_Cert: a\r\n");
  client.say(request);
  const auto app = rig.app_is_called();
  REQUIRE(app != nullptr);
  const std::string seen = app->hear();
  CHECK_THAT(seen, Contains("\r\nX-Forwarded-Client-Cert: Hash=") &&
                       Contains(";Subject=\"CN=some one\";URI=spiffe://a/b;DNS=c.example\r\n") &&
                       !Contains("admin") && !Contains("X_Forwarded"));
}
