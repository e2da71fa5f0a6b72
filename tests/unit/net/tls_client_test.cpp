#include "net/tls_client.hpp"

#include "tls_ends.hpp"

namespace wsproxy::net {
namespace {

using namespace std::chrono_literals;
using test::authority;
using test::connected;
using test::converse;
using test::End;
using test::Files;
using test::Identity;
using test::TlsPeer;
using wsproxy::test::other_authority;
using wsproxy::test::server_context;
using wsproxy::test::Wish;

const std::string kFailed = "bad_certificate: certificate verify failed: ";

struct Bench {
  Files files;
  config::UpstreamTls settings = files.app();
  std::string asked;  // for what name

  /// What comes of a handshake with an app at `host` that shows a certificate for `names`.
  std::string meet(const std::string& names, const std::string& host) {
    Wish wish;
    wish.names = names;
    return meet(Identity{wish, authority()}, host);
  }
  std::string meet(const Identity& app, const std::string& host, const wsproxy::test::Adjust& adjust = {}) {
    const auto client = Files::load(settings);
    const auto context = server_context(app, adjust);
    End ours = connected(*client, host);
    TlsPeer server{*context, TlsPeer::Role::server};
    converse(ours, server);
    const char* name = SSL_get_servername(server.ssl(), TLSEXT_NAMETYPE_host_name);
    asked = name != nullptr ? name : "(nothing)";
    if (!ours.is_done()) return ours.reason() + (": " + ours.detail());
    server.write("welcome");
    converse(ours, server);
    CHECK(ours.read() == "welcome");
    return "done";
  }
};

TEST_CASE("an app shows a certificate for the name of the URL, or it is none", "[tls_client]") {
  Bench bench;
  CHECK(bench.meet("DNS:b.example,DNS:a.example", "a.example") == "done");
  CHECK(bench.asked == "a.example");
  CHECK(bench.meet("DNS:*.a.example", "b.a.example") == "done");
  CHECK(bench.meet("DNS:b.example", "a.example") == kFailed + "hostname mismatch");
  CHECK(bench.meet("DNS:*.a.example", "c.b.a.example") == kFailed + "hostname mismatch");
  CHECK(bench.meet("DNS:a*.b.example", "aa.b.example") == kFailed + "hostname mismatch");
}

TEST_CASE("an address is looked for among a certificate's addresses, and no name is asked for",
          "[tls_client]") {
  Bench bench;
  CHECK(bench.meet("IP:127.0.0.1", "127.0.0.1") == "done");
  CHECK(bench.asked == "(nothing)");
  CHECK(bench.meet("IP:::1", "::1") == "done");
  CHECK(bench.meet("IP:127.0.0.2", "127.0.0.1") == kFailed + "IP address mismatch");
  CHECK(bench.meet("DNS:127.0.0.1", "127.0.0.1") == kFailed + "IP address mismatch");
}

TEST_CASE("server_name stands for the URL's host, to ask for and to verify", "[tls_client]") {
  Bench bench;
  bench.settings.server_name = "a.example";
  CHECK(bench.meet("DNS:a.example", "127.0.0.1") == "done");
  CHECK(bench.asked == "a.example");
  CHECK(bench.meet("DNS:b.example", "b.example") == kFailed + "hostname mismatch");
  CHECK(bench.asked == "a.example");
  bench.settings.server_name = "127.0.0.9";
  CHECK(bench.meet("IP:127.0.0.9", "app") == "done");
  CHECK(bench.asked == "(nothing)");
}

TEST_CASE("an app whose certificate is of another authority, or out of date, is not believed",
          "[tls_client]") {
  Wish wish;
  wish.names = "DNS:a.example";
  Bench bench;
  CHECK(bench.meet(Identity{wish, other_authority()}, "a.example") ==
        kFailed + "unable to get local issuer certificate");
  CHECK(bench.meet(Identity{wish}, "a.example") == kFailed + "self-signed certificate");
  wish.begins = -72h;
  wish.ends = -48h;
  CHECK(bench.meet(Identity{wish, authority()}, "a.example") == kFailed + "certificate has expired");
}

TEST_CASE("an app's own certificate may be what is believed", "[tls_client]") {
  Wish wish;
  wish.names = "DNS:a.example";
  const Identity alone{wish};
  Bench bench;
  bench.settings.ca = bench.files.folder.write("own.crt", alone.certificate_pem());
  CHECK(bench.meet(alone, "a.example") == "done");
}

TEST_CASE("without a ca the system's authorities are believed, and no others", "[tls_client]") {
  Bench bench;
  bench.settings.ca.clear();
  CHECK(bench.meet("DNS:a.example", "a.example") == kFailed + "unable to get local issuer certificate");
}

TEST_CASE("verify: false believes anybody, asks for the name all the same, and is told", "[tls_client]") {
  Bench bench;
  bench.settings = {};
  bench.settings.verify = false;
  TlsProblems problems;
  CHECK(TlsClient::load(bench.settings, "upstream.tls", problems));
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].kind == TlsProblem::Kind::exposed);
  CHECK(problems[0].key == "upstream.tls.verify");
  CHECK(bench.meet(Identity{Wish{}}, "a.example") == "done");
  CHECK(bench.asked == "a.example");
}

TEST_CASE("an app that asks for a certificate gets the one of the configuration", "[tls_client]") {
  Wish wish;
  wish.names = "DNS:a.example";
  const Identity app{wish, authority()};
  const Identity own{{}, authority()};
  Bench bench;
  const auto asks = [](SSL_CTX* context) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), &authority().certificate());
  };
  const auto asks_1_2 = [&](SSL_CTX* context) {
    asks(context);
    wsproxy::test::only_version(TLS1_2_VERSION)(context);
  };
  CHECK(bench.meet(app, "a.example", asks_1_2).substr(0, 6) == "alert:");
  const config::Certificate files = bench.files.write("own", own);
  bench.settings.certificate = files.certificate;
  bench.settings.private_key = files.private_key;
  CHECK(bench.meet(app, "a.example", asks) == "done");
  CHECK(bench.meet(app, "a.example", asks_1_2) == "done");
}

TEST_CASE("an app with old versions only, or none at all, is told apart", "[tls_client]") {
  Wish wish;
  wish.names = "DNS:a.example";
  Bench bench;
  const std::string old = bench.meet(Identity{wish, authority()}, "a.example", [](SSL_CTX* context) {
    wsproxy::test::only_version(TLS1_1_VERSION)(context);
  });
  CHECK(old.find("protocol version") != std::string::npos);
  const auto client = Files::load(bench.settings);
  End ours = connected(*client);
  ours.hear({});
  CHECK_FALSE(ours.said().empty());
  ours.hear("HTTP/1.1 400 Bad Request\r\n\r\n");
  CHECK(ours.step() == TlsStream::Step::failed);
  CHECK(ours.reason() == std::string{"garbage"});
  CHECK(ours.detail() == "wrong version number");
}

TEST_CASE("http/1.1 is what an app is offered", "[tls_client]") {
  Wish wish;
  wish.names = "DNS:a.example";
  Bench bench;
  std::string offered;
  CHECK(bench.meet(Identity{wish, authority()}, "a.example", [&](SSL_CTX* context) {
    SSL_CTX_set_alpn_select_cb(
        context,
        [](SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* in, unsigned in_size,
           void* to) {
          static_cast<std::string*>(to)->assign(reinterpret_cast<const char*>(in), in_size);
          *chosen = in + 1;
          *size = in[0];
          return SSL_TLSEXT_ERR_OK;
        },
        &offered);
  }) == "done");
  CHECK(offered == "\x08http/1.1");
}

TEST_CASE("files that cannot be used are told with their keys", "[tls_client]") {
  Bench bench;
  config::UpstreamTls settings;
  settings.ca = bench.files.folder.path("ca");
  settings.certificate = bench.files.folder.path("crt");
  settings.private_key = bench.files.folder.path("key");
  TlsProblems problems;
  CHECK_FALSE(TlsClient::load(settings, "routes[2].upstream.tls", problems));
  std::vector<std::string> keys;
  for (const TlsProblem& one : problems) keys.push_back(one.key);
  CHECK(keys == std::vector<std::string>{"routes[2].upstream.tls.ca", "routes[2].upstream.tls.certificate",
                                         "routes[2].upstream.tls.private_key"});
}

}  // namespace
}  // namespace wsproxy::net
