#include "net/tls_server.hpp"
#include "tls_ends.hpp"

namespace wsproxy::net {
namespace {

using namespace std::chrono_literals;
using test::accepted;
using test::anybody;
using test::authority;
using test::converse;
using test::End;
using test::Files;
using test::Identity;
using test::TlsPeer;
using wsproxy::test::client_context;
using wsproxy::test::only_version;
using wsproxy::test::other_authority;
using wsproxy::test::Wish;

Identity issued(const Wish& wish = {}) {
  return Identity{wish, authority()};
}

struct Bench {
  Files files;
  config::ListenerTls settings = files.listener(anybody());
  std::optional<http::ClientCertificate> shown;

  Bench() { settings.client_ca = files.authority_file(); }
  /// What comes of a client's handshake: "done", or a reason and its detail.
  std::string meet(const Identity* identity, int version = TLS1_3_VERSION) {
    const auto server = files.load(settings);
    const auto context = client_context([&](SSL_CTX* c) {
      only_version(version)(c);
      if (identity != nullptr) wsproxy::test::use(c, *identity);
    });
    End ours = accepted(*server);
    TlsPeer client{*context};
    converse(client, ours);
    shown = ours.is_done() ? ours.stream().client_certificate() : std::nullopt;
    return ours.is_done() ? "done" : ours.reason() + (": " + ours.detail());
  }
};

TEST_CASE("a client whose certificate the authority has signed is known by it", "[client_certificates]") {
  Wish wish;
  wish.common_name = "M\xC3\xBCller, Inc";
  wish.names = "URI:spiffe://a/b,DNS:c.example,URI:urn:d,IP:127.0.0.1";
  const Identity client = issued(wish);
  Bench bench;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CHECK(bench.meet(&client, version) == "done");
    REQUIRE(bench.shown);
    CHECK(bench.shown->subject == "CN=M\\C3\\BCller\\, Inc");
    CHECK(bench.shown->uris == std::vector<std::string>{"spiffe://a/b", "urn:d"});
    CHECK(bench.shown->dns_names == std::vector<std::string>{"c.example"});
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    X509_digest(&client.certificate(), EVP_sha256(), digest, &size);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
      char two[3];
      std::snprintf(two, sizeof two, "%02x", digest[i]);
      hex += two;
    }
    CHECK(bench.shown->fingerprint == hex);
  }
}

TEST_CASE("who need not show a certificate and does not is nobody", "[client_certificates]") {
  Bench bench;
  bench.settings.client_auth = config::ClientAuth::optional;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CHECK(bench.meet(nullptr, version) == "done");
    CHECK_FALSE(bench.shown);
  }
  const Identity client = issued();
  CHECK(bench.meet(&client) == "done");
  CHECK(bench.shown);
}

TEST_CASE("a certificate that is not good is refused where it is optional, too", "[client_certificates]") {
  Wish over;
  over.begins = -72h;
  over.ends = -48h;
  Wish early;
  early.begins = 48h;
  early.ends = 72h;
  const Identity expired = issued(over);
  const Identity not_yet = issued(early);
  const Identity stranger{{}, other_authority()};
  const Identity alone{Wish{}};
  const std::string failed = "bad_certificate: certificate verify failed: ";
  Bench bench;
  for (const auto asked : {config::ClientAuth::required, config::ClientAuth::optional}) {
    bench.settings.client_auth = asked;
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      CHECK(bench.meet(&expired, version) == failed + "certificate has expired");
      CHECK(bench.meet(&not_yet, version) == failed + "certificate is not yet valid");
      CHECK(bench.meet(&stranger, version) == failed + "unable to get local issuer certificate");
      CHECK(bench.meet(&alone, version) == failed + "self-signed certificate");
    }
  }
}

TEST_CASE("a listener that asks for no certificate does not look at one", "[client_certificates]") {
  Bench bench;
  bench.settings.client_ca.clear();
  const Identity stranger{{}, other_authority()};
  CHECK(bench.meet(&stranger) == "done");
  CHECK_FALSE(bench.shown);
}

TEST_CASE("a certificate on the revocation list is refused, and others of its authority are not",
          "[client_certificates]") {
  const Identity good = issued();
  const Identity revoked = issued();
  Bench bench;
  bench.settings.client_crl = bench.files.folder.write("crl", authority().revocations_pem({&revoked}));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CHECK(bench.meet(&good, version) == "done");
    CHECK(bench.meet(&revoked, version) == "bad_certificate: certificate verify failed: certificate revoked");
  }
}

TEST_CASE("with revocation lists each authority needs one, and of its own making", "[client_certificates]") {
  const Identity good = issued();
  Bench bench;
  bench.settings.client_crl = bench.files.folder.write("crl", other_authority().revocations_pem({}));
  CHECK(bench.meet(&good) == "bad_certificate: certificate verify failed: unable to get certificate CRL");
  bench.settings.client_crl = bench.files.folder.write(
      "crl", other_authority().revocations_pem({}) + authority().revocations_pem({}));
  CHECK(bench.meet(&good) == "done");
}

TEST_CASE("the authorities' names are sent, so that a client knows which certificate to show",
          "[client_certificates]") {
  Bench bench;
  bench.settings.client_ca =
      bench.files.folder.write("ca", authority().certificate_pem() + other_authority().certificate_pem());
  const auto server = bench.files.load(bench.settings);
  const auto context = client_context();
  End ours = accepted(*server);
  TlsPeer client{*context};
  converse(client, ours);
  const auto* names = SSL_get0_peer_CA_list(client.ssl());
  REQUIRE(names != nullptr);
  CHECK(sk_X509_NAME_num(names) == 2);
}

}  // namespace
}  // namespace wsproxy::net
