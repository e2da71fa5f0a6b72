#include "net/tls_failure.hpp"

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
using wsproxy::test::Adjust;
using wsproxy::test::client_context;
using wsproxy::test::only_version;

struct Bench {
  Files files;
  config::ListenerTls settings = files.listener(anybody());

  /// Why the handshake of such a client fails, after both have said what there is to say.
  std::string reason_with(const Adjust& adjust, std::string* detail = nullptr) {
    const auto server = files.load(settings);
    const auto context = client_context(adjust);
    End ours = accepted(*server);
    TlsPeer client{*context};
    converse(client, ours);
    CHECK(ours.step() == TlsStream::Step::failed);
    CHECK_FALSE(client.failure().empty());
    if (detail != nullptr) *detail = ours.detail();
    CHECK_FALSE(ours.detail().empty());
    return ours.reason();
  }
};

TEST_CASE("a client with old versions only is told from one with nothing in common", "[tls_failure]") {
  Bench bench;
  CHECK(bench.reason_with(only_version(TLS1_VERSION)) == "protocol_version");
  CHECK(bench.reason_with(only_version(TLS1_1_VERSION)) == "protocol_version");
  bench.settings.min_version = "1.3";
  CHECK(bench.reason_with(only_version(TLS1_2_VERSION)) == "protocol_version");
  bench.settings.min_version = "1.2";
  CHECK(bench.reason_with([](SSL_CTX* context) {
    only_version(TLS1_2_VERSION)(context);
    SSL_CTX_set_cipher_list(context, "AES128-SHA");
  }) == "no_shared_cipher");
  CHECK(bench.reason_with([](SSL_CTX* context) {
    only_version(TLS1_2_VERSION)(context);
    SSL_CTX_set_cipher_list(context, "ECDHE-RSA-AES128-GCM-SHA256");  // the certificate is ECDSA
  }) == "no_shared_cipher");
  CHECK(bench.reason_with([](SSL_CTX* context) {
    only_version(TLS1_3_VERSION)(context);
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_CCM_SHA256");
  }) == "no_shared_cipher");
}

TEST_CASE("a client without a group or signature algorithm of ours has nothing in common", "[tls_failure]") {
  Bench bench;
  CHECK(bench.reason_with([](SSL_CTX* context) {
    only_version(TLS1_3_VERSION)(context);
    std::string groups = "X448";
    SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, groups.data());
  }) == "no_shared_cipher");
  CHECK(bench.reason_with([](SSL_CTX* context) {
    only_version(TLS1_3_VERSION)(context);
    std::string algorithms = "rsa_pss_rsae_sha256";  // the certificate is ECDSA
    SSL_CTX_ctrl(context, SSL_CTRL_SET_SIGALGS_LIST, 0, algorithms.data());
  }) == "no_shared_cipher");
}

TEST_CASE("7301 3.2: a client that offers protocols without ours is refused for that", "[tls_failure]") {
  Bench bench;
  CHECK(bench.reason_with([](SSL_CTX* context) {
    const unsigned char h2[] = {2, 'h', '2'};
    SSL_CTX_set_alpn_protos(context, h2, sizeof h2);
  }) == "alpn");
}

TEST_CASE("a client that does not believe us says so, and it is its alert that counts", "[tls_failure]") {
  Bench bench;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    std::string detail;
    CHECK(bench.reason_with(
              [version](SSL_CTX* context) {
                only_version(version)(context);
                wsproxy::test::believe(context, wsproxy::test::other_authority());
              },
              &detail) == "alert");
    CHECK(detail.find("alert unknown ca") != std::string::npos);
  }
}

TEST_CASE("a client without the certificate that is required is told from one with another's",
          "[tls_failure]") {
  Bench bench;
  bench.settings.client_ca = bench.files.authority_file();
  CHECK(bench.reason_with(only_version(TLS1_2_VERSION)) == "no_certificate");
  CHECK(bench.reason_with(only_version(TLS1_3_VERSION)) == "no_certificate");
  const wsproxy::test::Identity stranger{{}, wsproxy::test::other_authority()};
  std::string detail;
  CHECK(bench.reason_with([&](SSL_CTX* context) { wsproxy::test::use(context, stranger); }, &detail) ==
        "bad_certificate");
  CHECK(detail == "certificate verify failed: unable to get local issuer certificate");
}

/// What a listener makes of bytes that are no handshake, however they are cut.
std::string reason_of(std::string_view bytes, bool is_end_told = false) {
  static Files files;
  static const auto server = files.load(files.listener(anybody()));
  std::string reason;
  wsproxy::test::for_each_split(base::as_bytes(bytes), [&](const wsproxy::test::Split& split) {
    End ours = accepted(*server);
    ours.hear({});
    CHECK_FALSE(ours.stream().has_heard());
    for (const auto& piece : split.pieces) ours.hear(base::as_text(piece));
    CHECK(ours.stream().has_heard());
    if (is_end_told) ours.stream().fail_by_end();
    const std::string now = ours.step() == TlsStream::Step::failed || is_end_told ? ours.reason() : "waits";
    CHECK((reason.empty() || reason == now));
    reason = now;
  });
  return reason;
}

TEST_CASE("what is no TLS at all is garbage", "[tls_failure]") {
  using namespace std::string_view_literals;
  CHECK(reason_of("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n") == "garbage");
  CHECK(reason_of("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"sv) == "garbage");
  CHECK(reason_of(std::string(300, '\xFF')) == "garbage");
  CHECK(reason_of("\x16\x03\x01\x00\x05hello"sv) == "garbage");                  // no handshake inside
  CHECK(reason_of("\x17\x03\x03\x00\x05hello"sv) == "garbage");                  // data ahead of a handshake
  CHECK(reason_of("\x16\x03\x01\xFF\xFF\x01\x00\x00\x05hello"sv) == "garbage");  // no record is that long
}

TEST_CASE("a client's hello of old SSL is told as such", "[tls_failure]") {
  using namespace std::string_view_literals;
  // SSL 2's, which offers nothing newer; and the record version of SSL 3.
  CHECK(reason_of("\x80\x1F\x01\x00\x02\x00\x06\x00\x00\x00\x10\x07\x00\xC0\x05\x00\x80"
                  "0123456789012345"sv) != "waits");
}

TEST_CASE("a peer that hangs up in mid-handshake has closed, and before that it is awaited",
          "[tls_failure]") {
  const auto context = client_context();
  TlsPeer client{*context};
  client.hear({});
  const std::string hello = client.said();
  CHECK(reason_of(hello.substr(0, 20)) == "waits");
  CHECK(reason_of(hello.substr(0, 20), true) == "closed");
  CHECK(reason_of(hello) == "waits");
  CHECK(reason_of(hello, true) == "closed");
}

TEST_CASE("the first failure counts, and what comes later changes nothing", "[tls_failure]") {
  Bench bench;
  const auto server = bench.files.load(bench.settings);
  End ours = accepted(*server);
  ours.stream().fail({telemetry::TlsFailureReason::plain_http, "HTTP without TLS"});
  ours.stream().fail_by_end();
  CHECK(ours.reason() == std::string{"plain_http"});
  CHECK(ours.detail() == "HTTP without TLS");
}

TEST_CASE("a changed byte of a hello never makes a handshake, nor a crash", "[tls_failure]") {
  Bench bench;
  const auto server = bench.files.load(bench.settings);
  const auto context =
      client_context([](SSL_CTX* c) { wsproxy::test::believe(c, wsproxy::test::authority()); });
  TlsPeer first{*context};
  first.hear({});
  const std::size_t size = first.said().size();
  constexpr std::size_t kIgnored = 2;  // RFC 8446 section 5.1: the minor version of a record
  for (std::size_t at = 0; at < size; ++at) {
    if (at == kIgnored) continue;
    CAPTURE(at);
    End ours = accepted(*server);
    TlsPeer client{*context};
    client.hear({});
    std::string hello = client.said();
    hello[at] = static_cast<char>(hello[at] ^ 0xFF);
    ours.hear(hello);
    converse(client, ours);
    // Both have the same words to agree on, or they do not (RFC 8446 section 4.4.4).
    CHECK_FALSE((ours.is_done() && client.is_done()));
  }
}

}  // namespace
}  // namespace wsproxy::net
