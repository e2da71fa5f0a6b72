#include "cli/tls_check.hpp"

#include <catch2/catch.hpp>

#include "support/certificates.hpp"

namespace wsproxy::cli {
namespace {

using namespace std::chrono_literals;
using test::Identity;

/// A configuration with a listener's certificate.
struct Bench {
  test::TemporaryFolder folder;
  config::Config config;

  explicit Bench(const Identity& identity, unsigned mode = 0600) {
    config::ListenerTls& tls = config.listeners.at(0).tls.emplace();
    tls.certificate = folder.write("crt", identity.certificate_pem());
    tls.private_key = folder.write("key", identity.key_pem(), mode);
  }
};

Identity lasting(std::chrono::seconds time) {
  return Identity{{.begins = -72h, .ends = time}};
}

TEST_CASE("files that are as they should be are no error and no warning") {
  const Bench bench{lasting(24h)};
  const TlsCheck check = check_tls(bench.config);
  CHECK(check.errors.empty());
  CHECK(check.warnings.empty());
  CHECK(broken_tls(bench.config).empty());
}

TEST_CASE("a key that every user can read, and an app that is not verified, are warnings") {
  Bench bench{lasting(24h), 0644};
  bench.config.upstream.url.tls = true;
  bench.config.upstream.tls.verify = false;
  const TlsCheck check = check_tls(bench.config);
  CHECK(check.errors.empty());
  REQUIRE(check.warnings.size() == 2);
  CHECK_THAT(check.warnings[0], Catch::StartsWith("listeners[0].tls.private_key \""));
  CHECK_THAT(check.warnings[1], Catch::StartsWith("upstream.tls.verify is false"));
  CHECK(broken_tls(bench.config).empty());
}

TEST_CASE("an expired certificate is an error of a check, and keeps nobody from starting") {
  const Bench bench{lasting(-48h)};
  const TlsCheck check = check_tls(bench.config);
  REQUIRE(check.errors.size() == 1);
  CHECK(check.errors[0].key == "listeners[0].tls.certificate");
  CHECK(broken_tls(bench.config).empty());
}

TEST_CASE("a file that is broken keeps from starting, all of them at once") {
  Bench bench{lasting(24h)};
  bench.folder.write("key", lasting(24h).key_pem());
  bench.config.listeners[0].tls->client_ca = bench.folder.path("none");
  const auto errors = broken_tls(bench.config);
  REQUIRE(errors.size() == 2);
  CHECK(errors[0].key == "listeners[0].tls.private_key");
  CHECK(errors[1].key == "listeners[0].tls.client_ca");
  CHECK(check_tls(bench.config).errors.size() == 2);
}

}  // namespace
}  // namespace wsproxy::cli
