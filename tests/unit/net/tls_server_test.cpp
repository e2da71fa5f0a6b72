#include "net/tls_server.hpp"

#include "net/tls_policy.hpp"
#include "tls_ends.hpp"

namespace wsproxy::net {
namespace {

using test::accepted;
using test::anybody;
using test::converse;
using test::End;
using test::Files;
using test::Identity;
using test::TlsPeer;
using wsproxy::test::client_context;
using wsproxy::test::only_version;
using wsproxy::test::Wish;
using Strings = std::vector<std::string>;

Identity issued(const std::string& names, bool has_rsa = false) {
  Wish wish;
  wish.names = names;
  wish.has_rsa = has_rsa;
  return Identity{wish, wsproxy::test::authority()};
}

/// Whether the server has shown this one.
bool has_shown(const TlsPeer& client, const Identity& identity) {
  const X509* shown = SSL_get0_peer_certificate(client.ssl());
  return shown != nullptr && X509_cmp(shown, &identity.certificate()) == 0;
}

struct Bench {
  Files files;
  Identity first = issued("DNS:a.example");
  config::ListenerTls settings = files.listener(first);

  void add(const std::string& name, const Identity& identity) {
    settings.additional.push_back(files.write(name, identity));
  }
  /// A client's handshake that succeeds.
  std::unique_ptr<TlsPeer> meet(const TlsServer& server, const std::string& name,
                                const wsproxy::test::Adjust& adjust = {}) {
    const auto context = client_context(adjust);
    auto client = std::make_unique<TlsPeer>(*context);
    if (!name.empty()) client->ask_for(name);
    End ours = accepted(server);
    converse(*client, ours);
    CHECK(client->failure() == "");
    CHECK(client->is_done());
    CHECK(ours.is_done());
    return client;
  }
};

TEST_CASE("a client gets the certificate of the name that it asks for", "[tls_server]") {
  Bench bench;
  const Identity second = issued("DNS:b.example,DNS:*.c.example");
  bench.add("second", second);
  const auto server = bench.files.load(bench.settings);
  for (const char* name : {"", "a.example", "unknown.example", "c.example"}) {
    CAPTURE(name);
    CHECK(has_shown(*bench.meet(*server, name), bench.first));
  }
  for (const char* name : {"b.example", "B.EXAMPLE", "x.c.example"}) {
    CAPTURE(name);
    CHECK(has_shown(*bench.meet(*server, name), second));
    CHECK(has_shown(*bench.meet(*server, name, only_version(TLS1_2_VERSION)), second));
  }
}

TEST_CASE("of an ECDSA and an RSA certificate a client gets the one that it can check", "[tls_server]") {
  Bench bench;
  const Identity rsa = issued("DNS:a.example", true);
  bench.add("rsa", rsa);
  const auto server = bench.files.load(bench.settings);
  const auto with_ciphers = [](const char* ciphers) {
    return [ciphers](SSL_CTX* context) {
      only_version(TLS1_2_VERSION)(context);
      SSL_CTX_set_cipher_list(context, ciphers);
    };
  };
  CHECK(has_shown(*bench.meet(*server, "a.example", with_ciphers("ECDHE-RSA-AES128-GCM-SHA256")), rsa));
  CHECK(has_shown(*bench.meet(*server, "a.example", with_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")),
                  bench.first));
  CHECK(has_shown(*bench.meet(*server, "", with_ciphers("ECDHE-RSA-AES128-GCM-SHA256")), rsa));
}

TEST_CASE("the chain is sent along with its certificate, and no other", "[tls_server]") {
  Bench bench;
  Wish wish;
  wish.is_authority = true;
  wish.common_name = "between";
  const Identity between{wish, wsproxy::test::authority()};
  wish = {};
  wish.names = "DNS:b.example";
  const Identity leaf{wish, between};
  bench.settings.additional.push_back(
      {bench.files.folder.write("chain", leaf.certificate_pem() + between.certificate_pem()),
       bench.files.folder.write("key", leaf.key_pem())});
  const auto server = bench.files.load(bench.settings);
  const auto chain_for = [&](const char* name) {
    return sk_X509_num(SSL_get_peer_cert_chain(bench.meet(*server, name)->ssl()));
  };
  CHECK(chain_for("b.example") == 2);
  CHECK(chain_for("a.example") == 1);
  // Who believes the root only can follow it.
  const auto client = bench.meet(*server, "b.example", [](SSL_CTX* context) {
    wsproxy::test::believe(context, wsproxy::test::authority());
  });
  CHECK(SSL_get_verify_result(client->ssl()) == X509_V_OK);
}

TEST_CASE("7301: http/1.1 is chosen when it is offered, wherever it stands; no offer is fine",
          "[tls_server]") {
  Bench bench;
  const auto server = bench.files.load(bench.settings);
  const auto chosen = [&](const std::string& offer) {
    const auto client = bench.meet(*server, "", [&](SSL_CTX* context) {
      SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(offer.data()),
                              static_cast<unsigned>(offer.size()));
    });
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client->ssl(), &name, &size);
    return std::string{reinterpret_cast<const char*>(name), size};
  };
  CHECK(chosen("\x08http/1.1") == "http/1.1");
  CHECK(chosen("\x02h2\x08http/1.1") == "http/1.1");
  CHECK(chosen("") == "");
}

TEST_CASE("min_version and lists of ciphers are those of the configuration", "[tls_server]") {
  Bench bench;
  const auto cipher_of = [&](int version) {
    const auto server = bench.files.load(bench.settings);
    const auto client = bench.meet(*server, "", only_version(version));
    return std::string{SSL_get_cipher_name(client->ssl())};
  };
  bench.settings.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384";
  bench.settings.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256";
  CHECK(cipher_of(TLS1_2_VERSION) == "ECDHE-ECDSA-AES256-GCM-SHA384");
  CHECK(cipher_of(TLS1_3_VERSION) == "TLS_CHACHA20_POLY1305_SHA256");
}

TEST_CASE("without a list of its own a listener has no cipher without forward secrecy and an AEAD",
          "[tls_server]") {
  Bench bench;
  bench.add("rsa", issued("DNS:a.example", true));
  const auto server = bench.files.load(bench.settings);
  for (const char* cipher : {"AES128-GCM-SHA256", "AES128-SHA", "ECDHE-RSA-AES128-SHA256",
                             "ECDHE-ECDSA-AES128-SHA", "DHE-RSA-AES128-GCM-SHA256"}) {
    CAPTURE(cipher);
    const auto context = client_context([&](SSL_CTX* c) {
      only_version(TLS1_2_VERSION)(c);
      SSL_CTX_set_cipher_list(c, cipher);
    });
    End ours = accepted(*server);
    TlsPeer client{*context};
    converse(client, ours);
    CHECK(ours.reason() == std::string{"no_shared_cipher"});
  }
}

TEST_CASE("5746: a client that wants to negotiate again is refused, and its connection goes on",
          "[tls_server]") {
  Bench bench;
  const auto server = bench.files.load(bench.settings);
  const auto context = client_context(only_version(TLS1_2_VERSION));
  End ours = accepted(*server);
  TlsPeer client{*context};
  converse(client, ours);
  REQUIRE(client.is_done());
  SSL_renegotiate(client.ssl());
  SSL_do_handshake(client.ssl());
  const std::string hello = client.said();
  REQUIRE_FALSE(hello.empty());
  ours.hear(hello);
  CHECK(ours.state() == TlsStream::State::open);
  // An alert of no_renegotiation, and nothing like a handshake.
  const std::string answer = ours.said();
  REQUIRE_FALSE(answer.empty());
  CHECK(answer[0] == 21);
}

TEST_CASE("what cannot be loaded is told with its key, all of it at once", "[tls_server]") {
  Bench bench;
  bench.settings.additional.push_back({bench.files.folder.path("none"), bench.files.folder.path("none")});
  bench.settings.additional.push_back(
      {bench.settings.certificate, bench.files.write("other", issued("DNS:x")).private_key});
  bench.settings.client_ca = bench.files.folder.write("empty", "");
  TlsProblems problems;
  CHECK_FALSE(TlsServer::load(bench.settings, "listeners[3].tls", bench.files.tickets, problems));
  Strings keys;
  for (const TlsProblem& one : problems) keys.push_back(one.key);
  CHECK(keys == Strings{"listeners[3].tls.additional[0].certificate",
                        "listeners[3].tls.additional[0].private_key",
                        "listeners[3].tls.additional[1].private_key", "listeners[3].tls.client_ca"});
}

TEST_CASE("ciphers that OpenSSL does not know are told once, however many names there are", "[tls_server]") {
  Bench bench;
  bench.add("second", issued("DNS:b.example"));
  bench.settings.ciphers = "ECDHE-RSA-AES128-GCM-SHA256:!aNULL:NONSENSE@SECLEVEL=1";
  bench.settings.ciphersuites = "TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256";
  TlsProblems problems;
  CHECK_FALSE(TlsServer::load(bench.settings, "tls", bench.files.tickets, problems));
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].key == "tls.ciphers");
  CHECK_THAT(problems[0].text, Catch::Contains("\"NONSENSE@SECLEVEL=1\", which OpenSSL does not know"));
  CHECK(problems[1].key == "tls.ciphersuites");
  CHECK_THAT(problems[1].text,
             Catch::Contains("\"ECDHE-RSA-AES128-GCM-SHA256\", which OpenSSL does not know"));
}

TEST_CASE("lists of ciphers are taken as OpenSSL writes them", "[tls_server]") {
  CHECK(unknown_cipher("").empty());
  CHECK(unknown_cipher(kCiphers).empty());
  CHECK(unknown_cipher("HIGH:!aNULL:-SHA1:+AES256:@SECLEVEL=2").empty());
  CHECK(unknown_cipher("ECDHE+AESGCM,DHE-RSA-AES128-GCM-SHA256").empty());
  CHECK(unknown_cipher("HIGH:HIHG") == "HIHG");
  CHECK(unknown_ciphersuite(kCipherSuites).empty());
  CHECK(unknown_ciphersuite("TLS_AES_128_GCM_SHA257") == "TLS_AES_128_GCM_SHA257");
}

TEST_CASE("certificates are listed with the files that the configuration names", "[tls_server]") {
  Bench bench;
  bench.add("second", issued("DNS:b.example"));
  const auto server = bench.files.load(bench.settings);
  REQUIRE(server->certificates().size() == 2);
  CHECK(server->certificates()[0].file == bench.files.folder.path("server.crt"));
  CHECK(server->certificates()[1].file == bench.files.folder.path("second.crt"));
  CHECK(server->certificates()[1].not_after > std::chrono::system_clock::now());
}

TEST_CASE("a handshake that is under way keeps what it began with", "[tls_server]") {
  Bench bench;
  const Identity second = issued("DNS:b.example");
  bench.add("second", second);
  auto server = bench.files.load(bench.settings);
  const auto context = client_context();
  TlsPeer client{*context};
  client.ask_for("b.example");
  End ours = accepted(*server);
  server.reset();
  converse(client, ours);
  CHECK(ours.is_done());
  CHECK(has_shown(client, second));
}

}  // namespace
}  // namespace wsproxy::net
