#include "net/tls_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "support/certificates.hpp"

namespace wsproxy::net {
namespace {

using namespace std::chrono_literals;
using wsproxy::test::authority;
using wsproxy::test::Identity;
using wsproxy::test::TemporaryFolder;
using wsproxy::test::Wish;
using Kind = TlsProblem::Kind;

const Identity& good() {
  static const Identity made{{.names = "DNS:A.example,DNS:*.b.example,IP:127.0.0.1,URI:x:y"}, authority()};
  return made;
}

/// Files of a test, which are right but for what it changes.
struct Bench {
  TemporaryFolder folder;
  std::string certificate = good().certificate_pem();
  std::string key = good().key_pem();
  unsigned mode = 0600;
  TlsProblems problems;

  std::optional<Credentials> read() {
    problems.clear();
    return read_credentials({folder.write("c.pem", certificate), folder.write("k.pem", key, mode)}, "tls",
                            problems);
  }
  /// The problems with their folder left out.
  std::string told() const {
    std::string text;
    for (const TlsProblem& one : problems) {
      constexpr const char* kKinds[] = {"broken", "expired", "exposed"};
      text += fmt::format("{}: {} {}\n", kKinds[static_cast<int>(one.kind)], one.key, one.text);
    }
    const std::string path = folder.path("");
    for (std::size_t at; (at = text.find(path)) != std::string::npos;) text.erase(at, path.size());
    return text;
  }
};

std::string day_of(std::chrono::seconds from_now) {
  const std::time_t time = std::time(nullptr) + from_now.count();
  char text[32];
  std::tm fields{};
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d", ::gmtime_r(&time, &fields))};
}

TEST_CASE("a certificate with its key is read, with its DNS names in lower case", "[tls_files]") {
  Bench bench;
  const auto read = bench.read();
  CHECK(bench.told() == "");
  REQUIRE(read);
  CHECK(read->file == bench.folder.path("c.pem"));
  CHECK(read->names == std::vector<std::string>{"a.example", "*.b.example"});
  CHECK(read->chain.empty());
  CHECK(read->key_type() == EVP_PKEY_EC);
  CHECK(X509_cmp(read->leaf.get(), &good().certificate()) == 0);
  const auto left = read->not_after - std::chrono::system_clock::now();
  CHECK(left > 23h);
  CHECK(left <= 24h);
}

TEST_CASE("an RSA key and a common name: no DNS name comes of that", "[tls_files]") {
  const Identity rsa{{.common_name = "a.example", .has_rsa = true}, authority()};
  Bench bench;
  bench.certificate = rsa.certificate_pem();
  bench.key = rsa.key_pem();
  const auto read = bench.read();
  REQUIRE(read);
  CHECK(read->key_type() == EVP_PKEY_RSA);
  CHECK(read->names.empty());
}

TEST_CASE("behind the leaf come the authorities of its chain, with words between", "[tls_files]") {
  Bench bench;
  bench.certificate =
      "leaf:\n" + bench.certificate + "\nauthority:\n" + authority().certificate_pem() + "end\n";
  const auto read = bench.read();
  REQUIRE(read);
  CHECK(X509_cmp(read->leaf.get(), &good().certificate()) == 0);
  REQUIRE(read->chain.size() == 1);
  CHECK(X509_cmp(read->chain[0].get(), &authority().certificate()) == 0);
}

TEST_CASE("certificate and key may be one file", "[tls_files]") {
  Bench bench;
  bench.certificate = bench.key =
      GENERATE(good().certificate_pem() + good().key_pem(), good().key_pem() + good().certificate_pem());
  CHECK(bench.read());
  CHECK(bench.told() == "");
}

TEST_CASE("a file that is not there is told by its key, and so are both", "[tls_files]") {
  Bench bench;
  TlsProblems& problems = bench.problems;
  CHECK_FALSE(read_credentials({bench.folder.path("c"), bench.folder.path("k")}, "tls", problems));
  CHECK(bench.told() ==
        "broken: tls.certificate \"c\" cannot be read: No such file or directory\n"
        "broken: tls.private_key \"k\" cannot be read: No such file or directory\n");
  problems.clear();
  CHECK(read_authorities(bench.folder.path("ca"), "tls.client_ca", problems).empty());
  CHECK(read_revocations(bench.folder.path("crl"), "tls.client_crl", problems).empty());
  CHECK(bench.told() ==
        "broken: tls.client_ca \"ca\" cannot be read: No such file or directory\n"
        "broken: tls.client_crl \"crl\" cannot be read: No such file or directory\n");
}

TEST_CASE("a file without what it is for says so", "[tls_files]") {
  Bench bench;
  const std::string text =
      GENERATE("", "hello\n", "-----BEGIN NONSENSE-----\nAAAA\n-----END NONSENSE-----\n");
  bench.certificate = bench.key = text;
  CHECK_FALSE(bench.read());
  CHECK(bench.told() ==
        "broken: tls.certificate \"c.pem\" has no certificate in PEM\n"
        "broken: tls.private_key \"k.pem\" has no private key in PEM\n");
  bench.problems.clear();
  CHECK(read_authorities(bench.folder.path("c.pem"), "ca", bench.problems).empty());
  CHECK(read_revocations(bench.folder.path("c.pem"), "crl", bench.problems).empty());
  CHECK(bench.told() ==
        "broken: ca \"c.pem\" has no certificate in PEM\n"
        "broken: crl \"c.pem\" has no revocation list in PEM\n");
}

TEST_CASE("certificate and key in each other's place are no certificate and no key", "[tls_files]") {
  Bench bench;
  std::swap(bench.certificate, bench.key);
  CHECK_FALSE(bench.read());
  CHECK(bench.told() ==
        "broken: tls.certificate \"c.pem\" has no certificate in PEM\n"
        "broken: tls.private_key \"k.pem\" has no private key in PEM\n");
}

TEST_CASE("a certificate that is damaged, at any place of the chain, breaks the file", "[tls_files]") {
  Bench bench;
  const std::string whole = good().certificate_pem();
  std::string bent = whole;
  bent.replace(100, 4, "!!!!");
  const std::string cut = whole.substr(0, whole.size() / 2);
  const std::string no_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  for (const std::string& damaged : {bent, cut, no_der}) {
    for (const bool is_behind : {false, true}) {
      CAPTURE(damaged, is_behind);
      bench.certificate = is_behind ? whole + damaged : damaged;
      CHECK_FALSE(bench.read());
      REQUIRE(bench.problems.size() == 1);
      CHECK_THAT(bench.told(),
                 Catch::StartsWith("broken: tls.certificate \"c.pem\" has a malformed certificate: "));
      bench.problems.clear();
      CHECK(read_authorities(bench.folder.path("c.pem"), "ca", bench.problems).empty());
      CHECK(bench.problems.size() == 1);
    }
  }
}

TEST_CASE("a key of another certificate is told at the key", "[tls_files]") {
  Bench bench;
  const Identity other{{}, authority()};
  const Identity rsa{{.has_rsa = true}, authority()};
  bench.key = GENERATE_REF(other.key_pem(), rsa.key_pem());
  CHECK_FALSE(bench.read());
  CHECK(bench.told() == "broken: tls.private_key \"k.pem\" is not the key of \"c.pem\"\n");
}

TEST_CASE("an encrypted key is refused, and nobody is asked for its passphrase", "[tls_files]") {
  Bench bench;
  bench.key = good().encrypted_key_pem();
  // Who asks does it on /dev/tty, or where there is none on standard error and input.
  int pipe_ends[2];
  REQUIRE(::pipe2(pipe_ends, O_NONBLOCK) == 0);
  const int kept = ::dup(STDERR_FILENO);
  ::dup2(pipe_ends[1], STDERR_FILENO);
  const auto read = bench.read();
  ::dup2(kept, STDERR_FILENO);
  char asked;
  CHECK(::read(pipe_ends[0], &asked, 1) < 0);
  for (const int end : {pipe_ends[0], pipe_ends[1], kept}) ::close(end);
  CHECK_FALSE(read);
  CHECK(bench.told() ==
        "broken: tls.private_key \"k.pem\" is encrypted; a key without a passphrase is needed\n");
}

TEST_CASE("a certificate that has expired, or is not valid yet, can be used and is told", "[tls_files]") {
  Bench bench;
  const Identity expired{{.begins = -72h, .ends = -48h}, authority()};
  bench.certificate = expired.certificate_pem();
  bench.key = expired.key_pem();
  CHECK(bench.read());
  CHECK_THAT(bench.told(),
             Catch::StartsWith("expired: tls.certificate \"c.pem\" expired on " + day_of(-48h)));
  CHECK_THAT(bench.told(), Catch::EndsWith(" UTC\n"));

  const Identity early{{.begins = 48h, .ends = 72h}, authority()};
  bench.certificate = early.certificate_pem();
  bench.key = early.key_pem();
  CHECK(bench.read());
  CHECK_THAT(bench.told(),
             Catch::StartsWith("expired: tls.certificate \"c.pem\" is not valid before " + day_of(48h)));
}

TEST_CASE("a key that every user can read is told with its mode, one of its group's is not", "[tls_files]") {
  Bench bench;
  for (const unsigned mode : {0600U, 0640U, 0660U, 0400U}) {
    bench.mode = mode;
    CHECK(bench.read());
    CHECK(bench.told() == "");
  }
  bench.mode = 0644;
  CHECK(bench.read());
  CHECK(bench.told() ==
        "exposed: tls.private_key \"k.pem\" can be read by every user (mode 0644); 0640 or 0600 keeps it to "
        "its owner\n");
}

TEST_CASE("a bundle of authorities is out of date when all of them are", "[tls_files]") {
  Bench bench;
  const Identity old{{.begins = -72h, .ends = -48h, .is_authority = true}};
  const auto read = [&](const std::string& bundle) {
    bench.problems.clear();
    return read_authorities(bench.folder.write("ca", bundle), "ca", bench.problems).size();
  };
  CHECK(read(authority().certificate_pem() + old.certificate_pem()) == 2);
  CHECK(bench.told() == "");
  CHECK(read(old.certificate_pem() + old.certificate_pem()) == 2);
  CHECK_THAT(bench.told(), Catch::StartsWith("expired: ca \"ca\" expired on " + day_of(-48h)));
  CHECK(bench.problems.size() == 1);
}

TEST_CASE("a revocation list whose next update is past is told, and used", "[tls_files]") {
  Bench bench;
  const auto read = [&](std::chrono::seconds next_update) {
    bench.problems.clear();
    const std::string text =
        authority().revocations_pem({}, 1h) + authority().revocations_pem({}, next_update);
    return read_revocations(bench.folder.write("crl", text), "crl", bench.problems).size();
  };
  CHECK(read(1h) == 2);
  CHECK(bench.told() == "");
  CHECK(read(-24h) == 2);
  CHECK_THAT(bench.told(), Catch::StartsWith("expired: crl \"crl\" has a list whose next update was due on " +
                                             day_of(-24h)));
}

}  // namespace
}  // namespace wsproxy::net
