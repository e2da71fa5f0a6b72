#include "net/tls_server.hpp"
#include "support/manual_date.hpp"
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
using wsproxy::test::LaterDate;
using wsproxy::test::only_version;
using Session = std::unique_ptr<SSL_SESSION, Releasing<SSL_SESSION_free>>;

const std::vector<int> kVersions{TLS1_2_VERSION, TLS1_3_VERSION};

/// A client that comes back with what it has got.
class Client {
 public:
  explicit Client(int version, const Identity* identity = nullptr)
      : context_(client_context([&](SSL_CTX* context) {
          only_version(version)(context);
          if (identity != nullptr) wsproxy::test::use(context, *identity);
        })) {}

  /// What becomes of its handshake: "full", "resumed" or why it failed.
  std::string come(const TlsServer& server, const std::string& name = {}) {
    End ours = accepted(server);
    TlsPeer peer{*context_};
    if (!name.empty()) peer.ask_for(name);
    if (session_) SSL_set_session(peer.ssl(), session_.get());
    converse(peer, ours);
    // A ticket may come along with what is said first.
    if (ours.is_done()) ours.write("welcome");
    converse(peer, ours);
    if (!ours.is_done()) return ours.reason();
    CHECK(peer.read() == "welcome");
    shown_ = ours.stream().client_certificate();
    session_.reset(SSL_get1_session(peer.ssl()));
    peer.say_close();  // OpenSSL takes no session up again that was cut
    const bool is_resumed = SSL_session_reused(peer.ssl()) == 1;
    CHECK(ours.stream().is_resumed() == is_resumed);
    return is_resumed ? "resumed" : "full";
  }
  const SSL_SESSION& session() const { return *session_; }
  const std::optional<http::ClientCertificate>& shown() const { return shown_; }

 private:
  SslContextPtr context_;
  Session session_;
  std::optional<http::ClientCertificate> shown_;
};

TEST_CASE("a client that comes back with its ticket resumes, again and again", "[resumption]") {
  Files files;
  const auto server = files.load(files.listener(anybody()));
  for (const int version : kVersions) {
    CAPTURE(version);
    Client client{version};
    CHECK(client.come(*server) == "full");
    CHECK(SSL_SESSION_has_ticket(&client.session()) == 1);
    CHECK(client.come(*server) == "resumed");
    CHECK(client.come(*server) == "resumed");
  }
}

TEST_CASE("a session goes on at the listener's certificates of a later day", "[resumption]") {
  Files files;
  const auto before = files.load(files.listener(anybody()));
  const Identity renewed{{}, authority()};
  const auto after = files.load(files.listener(renewed));
  for (const int version : kVersions) {
    Client client{version};
    CHECK(client.come(*before) == "full");
    CHECK(client.come(*after) == "resumed");
  }
}

TEST_CASE("a session is resumed under a name that another of the certificates is for", "[resumption]") {
  Files files;
  auto settings = files.listener(anybody());
  const wsproxy::test::Wish wish{.common_name = "b", .names = "DNS:b.example"};
  settings.additional.push_back(files.write("b", Identity{wish, authority()}));
  const auto server = files.load(settings);
  for (const int version : kVersions) {
    Client client{version};
    CHECK(client.come(*server, "b.example") == "full");
    CHECK(client.come(*server, "b.example") == "resumed");
  }
}

TEST_CASE("5077 5.4: without a ticket there is nothing to resume", "[resumption]") {
  Files files;
  const auto server = files.load(files.listener(anybody()));
  const auto context = client_context([](SSL_CTX* c) {
    only_version(TLS1_2_VERSION)(c);
    SSL_CTX_set_options(c, SSL_OP_NO_TICKET);
  });
  Session session;
  for (int i = 0; i < 2; ++i) {
    End ours = accepted(*server);
    TlsPeer peer{*context};
    if (session) SSL_set_session(peer.ssl(), session.get());
    converse(peer, ours);
    REQUIRE(ours.is_done());
    CHECK_FALSE(ours.stream().is_resumed());
    session.reset(SSL_get1_session(peer.ssl()));
    peer.say_close();
    unsigned size = 0;
    SSL_SESSION_get_id(session.get(), &size);
    CHECK(size == 0);
  }
}

TEST_CASE("a ticket of another process's keys makes a full handshake", "[resumption]") {
  Files files;
  Files others;
  const auto server = files.load(files.listener(anybody()));
  const auto stranger = others.load(others.listener(anybody()));
  for (const int version : kVersions) {
    Client client{version};
    CHECK(client.come(*stranger) == "full");
    CHECK(client.come(*server) == "full");
    CHECK(client.come(*server) == "resumed");
  }
}

TEST_CASE("a session is of one listener, whatever the certificates", "[resumption]") {
  Files files;
  const auto first = files.load(files.listener(anybody()), "listeners[0].tls");
  const auto second = files.load(files.listener(anybody()), "listeners[1].tls");
  for (const int version : kVersions) {
    Client client{version};
    CHECK(client.come(*first) == "full");
    CHECK(client.come(*second) != "resumed");
  }
}

TEST_CASE("who has shown a certificate is known by it when it resumes", "[resumption]") {
  Files files;
  auto settings = files.listener(anybody());
  settings.client_ca = files.authority_file();
  const auto server = files.load(settings);
  const Identity identity{{}, authority()};
  for (const int version : kVersions) {
    Client client{version, &identity};
    CHECK(client.come(*server) == "full");
    REQUIRE(client.shown());
    const std::string fingerprint = client.shown()->fingerprint;
    CHECK(client.come(*server) == "resumed");
    REQUIRE(client.shown());
    CHECK(client.shown()->fingerprint == fingerprint);
  }
}

TEST_CASE("a session does not outlive what its client was believed by", "[resumption]") {
  Files files;
  auto settings = files.listener(anybody());
  settings.client_auth = config::ClientAuth::optional;
  settings.client_ca = files.authority_file();
  const auto before = files.load(settings);
  const Identity identity{{}, authority()};
  const auto comes_after = [&](int version) {
    Client client{version, &identity};
    CHECK(client.come(*before) == "full");
    return client.come(*files.load(settings));
  };
  SECTION("other authorities") {
    settings.client_ca = files.folder.write("ca2", wsproxy::test::other_authority().certificate_pem());
    for (const int version : kVersions) CHECK(comes_after(version) == "bad_certificate");
  }
  SECTION("no client's certificates any more") {
    settings.client_ca.clear();
    for (const int version : kVersions) CHECK(comes_after(version) == "full");
  }
  SECTION("a certificate is required") {
    settings.client_auth = config::ClientAuth::required;
    for (const int version : kVersions) CHECK(comes_after(version) == "full");
  }
  SECTION("a revocation list that has it") {
    settings.client_crl = files.folder.write("crl", authority().revocations_pem({&identity}));
    for (const int version : kVersions) CHECK(comes_after(version) == "bad_certificate");
  }
  SECTION("nothing has changed") {
    for (const int version : kVersions) CHECK(comes_after(version) == "resumed");
  }
}

TEST_CASE("a newer revocation list counts for those who come back", "[resumption]") {
  Files files;
  auto settings = files.listener(anybody());
  settings.client_ca = files.authority_file();
  settings.client_crl = files.folder.write("crl", authority().revocations_pem({}));
  const auto before = files.load(settings);
  const Identity identity{{}, authority()};
  for (const int version : kVersions) {
    files.folder.write("crl", authority().revocations_pem({&identity}));
    Client client{version, &identity};
    CHECK(client.come(*before) == "full");
    CHECK(client.come(*files.load(settings)) == "bad_certificate");
  }
}

TEST_CASE("a session does not outlive its client's certificate", "[resumption]") {
  Files files;
  auto settings = files.listener(anybody());
  settings.client_ca = files.authority_file();
  const auto server = files.load(settings);
  wsproxy::test::Wish wish;
  wish.ends = 10min;
  const Identity identity{wish, authority()};
  for (const int version : kVersions) {
    CAPTURE(version);
    Client client{version, &identity};
    CHECK(client.come(*server) == "full");
    {
      const LaterDate soon{9min};
      CHECK(client.come(*server) == "resumed");
    }
    const LaterDate later{11min};
    CHECK(client.come(*server) == "bad_certificate");
  }
}

TEST_CASE("a session is good for as long as a key is", "[resumption]") {
  Files files;
  const auto server = files.load(files.listener(anybody()));
  for (const int version : kVersions) {
    CAPTURE(version);
    Client client{version};
    CHECK(client.come(*server) == "full");
    {
      const LaterDate soon{TlsTicketKeys::kLifetime - 10s};
      CHECK(client.come(*server) == "resumed");
    }
    Client late{version};
    CHECK(late.come(*server) == "full");
    const LaterDate later{TlsTicketKeys::kLifetime + 10s};
    CHECK(late.come(*server) == "full");
  }
}

}  // namespace
}  // namespace wsproxy::net
