#include "server/tls_keeper.hpp"

#include <mutex>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "support/certificates.hpp"
#include "support/kept_log.hpp"
#include "support/manual_clock.hpp"

namespace wsproxy::server {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using test::authority;
using test::Identity;
using test::Wish;

Identity lasting(std::chrono::seconds time) {
  Wish wish;
  wish.names = "DNS:a.example";
  wish.ends = time;
  if (time < 0s) wish.begins = time - 1h;
  return Identity{wish, authority()};
}

struct Bench {
  test::TemporaryFolder folder;
  net::IoContext io;
  config::Config config;
  test::KeptLog log{telemetry::LogFormat::json};
  ReloadCount count;
  std::unique_ptr<TlsKeeper> keeper;
  std::vector<net::TlsSetup> told;

  Bench() {
    config.listeners[0].name = "public";
    config.listeners[0].tls.emplace();
    config.listeners[0].tls->certificate = folder.path("crt");
    config.listeners[0].tls->private_key = folder.path("key");
    write(lasting(24h));
  }
  void write(const Identity& identity) const {
    folder.write("crt", identity.certificate_pem());
    folder.write("key", identity.key_pem());
  }
  void start() {
    keeper =
        std::make_unique<TlsKeeper>(io, std::make_shared<const config::Config>(config), log.log(), count);
    keeper->start([this](const net::TlsSetup& setup) { told.push_back(setup); });
  }
  /// What happened to the files has been seen.
  void settle() {
    test::pass(io, 0s);
    test::pass(io, FileWatch::kQuiet);
  }
  const std::string& logged() {
    keeper.reset();
    return log.lines();
  }
  std::chrono::system_clock::time_point expiry() const { return keeper->certificates().at(0).not_after; }
};

TEST_CASE("a keeper has its files from the start, and tells of their certificates", "[tls_keeper]") {
  Bench bench;
  bench.start();
  CHECK(bench.keeper->is_used());
  REQUIRE(bench.keeper->setup().listeners.size() == 1);
  CHECK(bench.keeper->setup().listeners[0]);
  const auto certificates = bench.keeper->certificates();
  REQUIRE(certificates.size() == 1);
  CHECK(certificates[0].listener == "public");
  CHECK(certificates[0].file == bench.folder.path("crt"));
  CHECK(bench.count.counters().succeeded == 0);
  CHECK(bench.count.counters().failed == 0);
  CHECK(bench.count.counters().last_success > std::chrono::system_clock::now() - 1h);
  CHECK(bench.told.empty());
  CHECK_THAT(bench.logged(), Contains("certificate in use") && Contains(bench.folder.path("crt")));
}

TEST_CASE("a keeper of a configuration without TLS is not used", "[tls_keeper]") {
  Bench bench;
  bench.config.listeners[0].tls.reset();
  bench.start();
  CHECK_FALSE(bench.keeper->is_used());
  CHECK(bench.keeper->certificates().empty());
}

TEST_CASE("files that are broken at the start are no start, with a line that names them", "[tls_keeper]") {
  Bench bench;
  bench.folder.write("key", lasting(24h).key_pem());
  CHECK_THROWS_WITH(bench.start(), "listeners[0].tls.private_key: \"" + bench.folder.path("key") +
                                       "\" is not the key of \"" + bench.folder.path("crt") + "\"");
}

TEST_CASE("an expired certificate, and a key that everybody can read, are told and used at the start",
          "[tls_keeper]") {
  Bench bench;
  const Identity expired = lasting(-48h);
  bench.write(expired);
  bench.folder.write("key", expired.key_pem(), 0644);
  bench.start();
  CHECK(bench.keeper->setup().listeners[0]);
  const std::string& log = bench.logged();
  CHECK_THAT(log, Contains("listeners[0].tls.certificate") && Contains("expired on"));
  CHECK_THAT(log, Contains("listeners[0].tls.private_key") && Contains("mode 0644"));
}

TEST_CASE("new files are taken as soon as they are quiet, and told of", "[tls_keeper]") {
  Bench bench;
  bench.start();
  const auto before = bench.keeper->setup().listeners[0];
  const auto expired = bench.expiry();
  bench.write(lasting(48h));
  bench.settle();
  REQUIRE(bench.told.size() == 1);
  CHECK(bench.told[0].listeners[0] != before);
  CHECK(bench.told[0].listeners[0] == bench.keeper->setup().listeners[0]);
  CHECK(bench.expiry() > expired + 23h);
  CHECK(bench.count.counters().succeeded == 1);
  CHECK(bench.count.counters().failed == 0);
}

TEST_CASE("new files that are broken or expired are refused and counted; the ones before stay",
          "[tls_keeper]") {
  Bench bench;
  bench.start();
  const auto expiry = bench.expiry();
  const auto last_success = bench.count.counters().last_success;
  std::string problem;
  SECTION("a certificate without its key") {
    bench.folder.write("crt", lasting(48h).certificate_pem());
    problem = "is not the key of";
  }
  SECTION("garbage") {
    bench.folder.write("crt", "garbage");
    problem = "has no certificate in PEM";
  }
  SECTION("an expired pair") {
    bench.write(lasting(-48h));
    problem = "expired on";
  }
  bench.settle();
  CHECK(bench.expiry() == expiry);
  CHECK(bench.count.counters().succeeded == 0);
  CHECK(bench.count.counters().failed == 1);
  CHECK(bench.count.counters().last_success == last_success);
  // And the next ones that are good are taken.
  bench.write(lasting(48h));
  bench.settle();
  CHECK(bench.expiry() > expiry);
  CHECK(bench.count.counters().succeeded == 1);
  CHECK_THAT(bench.logged(),
             Contains("the ones before stay in use") && Contains(problem) && Contains("\"level\":\"error\""));
}

TEST_CASE("a pair that comes one file after the other is refused once at most, and taken then",
          "[tls_keeper]") {
  Bench bench;
  bench.start();
  const Identity next = lasting(48h);
  bench.folder.write("crt", next.certificate_pem());
  bench.settle();
  CHECK(bench.count.counters().failed == 1);
  bench.folder.write("key", next.key_pem());
  bench.settle();
  CHECK(bench.count.counters().failed == 1);
  CHECK(bench.count.counters().succeeded == 1);
}

TEST_CASE("a key that everybody can read is no reason to refuse it", "[tls_keeper]") {
  Bench bench;
  bench.start();
  const Identity next = lasting(48h);
  bench.write(next);
  bench.folder.write("key", next.key_pem(), 0644);
  bench.settle();
  CHECK(bench.count.counters().succeeded == 1);
  CHECK(bench.count.counters().failed == 0);
}

TEST_CASE("who asks for it gets the files read again, changed or not", "[tls_keeper]") {
  Bench bench;
  bench.start();
  bench.keeper->reload();
  CHECK(bench.count.counters().succeeded == 1);
  CHECK(bench.told.size() == 1);
}

TEST_CASE("a keeper that was stopped does not look any more", "[tls_keeper]") {
  Bench bench;
  bench.start();
  bench.keeper->stop();
  bench.write(lasting(48h));
  bench.settle();
  CHECK(bench.told.empty());
  CHECK(bench.count.counters().succeeded == 0);
}

TEST_CASE("files that change while another configuration is put into force are read again") {
  Bench bench;
  bench.start();
  const auto next = std::make_shared<const config::Config>(bench.config);
  TlsKeeper::Read read = bench.keeper->read(*next);
  bench.write(lasting(48h));
  bench.keeper->adopt(next, std::move(read));
  const auto before = bench.expiry();
  bench.settle();
  CHECK(bench.told.size() == 1);
  CHECK(bench.expiry() > before + 23h);
}

}  // namespace
}  // namespace wsproxy::server
