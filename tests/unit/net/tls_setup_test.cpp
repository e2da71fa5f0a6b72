#include "net/tls_setup.hpp"

#include "tls_ends.hpp"

namespace wsproxy::net {
namespace {

using namespace std::chrono_literals;
using test::anybody;
using test::authority;
using test::Files;
using test::Identity;
using wsproxy::test::Wish;
using Strings = std::vector<std::string>;

config::Upstream app_of(const config::UpstreamTls& tls, bool has_tls = true) {
  config::Upstream upstream;
  upstream.url.tls = has_tls;
  upstream.tls = tls;
  return upstream;
}

/// A listener without TLS, one with it, and an app with it.
struct Bench {
  Files files;
  config::Config config;
  TlsProblems problems;

  Bench() {
    config.listeners.resize(2);
    config.listeners[1].tls = files.listener(anybody());
    config.upstream = app_of(files.app());
  }
  TlsSetup load() { return load_tls(config, files.tickets, problems); }
  TlsSetup reload(const TlsSetup& before) { return reload_tls(config, files.tickets, before, problems); }
  Strings keys() {
    Strings all;
    for (const TlsProblem& one : std::exchange(problems, {})) all.push_back(one.key);
    return all;
  }
};

TEST_CASE("who speaks plain has nothing, and the others what they need", "[tls_setup]") {
  Bench bench;
  bench.config.routes.push_back({{"a", ""}, app_of({}, false), {}, {}});
  const TlsSetup setup = bench.load();
  CHECK(bench.keys().empty());
  REQUIRE(setup.listeners.size() == 2);
  CHECK_FALSE(setup.listeners[0]);
  CHECK(setup.listeners[1]);
  REQUIRE(setup.apps.size() == 2);
  CHECK(setup.apps[0]);
  CHECK_FALSE(setup.apps[1]);
}

TEST_CASE("routes with the same settings share what there is", "[tls_setup]") {
  Bench bench;
  config::UpstreamTls other = bench.files.app();
  other.server_name = "b.example";
  for (const config::UpstreamTls& tls : {bench.files.app(), other, other}) {
    bench.config.routes.push_back({{"a", ""}, app_of(tls), {}, {}});
  }
  const TlsSetup setup = bench.load();
  REQUIRE(setup.apps.size() == 4);
  CHECK(setup.apps[1] == setup.apps[0]);
  CHECK(setup.apps[2] != setup.apps[0]);
  CHECK(setup.apps[3] == setup.apps[2]);
}

TEST_CASE("a route does not share with an upstream that speaks plain", "[tls_setup]") {
  Bench bench;
  bench.config.upstream.url.tls = false;
  bench.config.routes.push_back({{"a", ""}, app_of(bench.config.upstream.tls), {}, {}});
  const TlsSetup setup = bench.load();
  CHECK_FALSE(setup.apps[0]);
  CHECK(setup.apps[1]);
}

TEST_CASE("problems have the keys of their places, and of what is shared once", "[tls_setup]") {
  Bench bench;
  bench.files.folder.write("server.key", "");
  bench.config.upstream.tls.ca = bench.files.folder.path("none");
  bench.config.routes.push_back({{"a", ""}, app_of(bench.config.upstream.tls), {}, {}});
  config::UpstreamTls other;
  other.ca = bench.files.folder.path("none either");
  bench.config.routes.push_back({{"b", ""}, app_of(other), {}, {}});
  const TlsSetup setup = bench.load();
  CHECK(bench.keys() ==
        Strings{"listeners[1].tls.private_key", "upstream.tls.ca", "routes[1].upstream.tls.ca"});
  CHECK_FALSE(setup.listeners[1]);
  CHECK_FALSE(setup.apps[0]);
  CHECK_FALSE(setup.apps[2]);
}

TEST_CASE("new files make new contexts, and what there was stays as it was", "[tls_setup]") {
  Bench bench;
  const TlsSetup before = bench.load();
  Wish wish;
  wish.ends = 48h;
  bench.files.write("server", Identity{wish, authority()});
  const TlsSetup after = bench.reload(before);
  CHECK(bench.keys().empty());
  CHECK(after.listeners[1] != before.listeners[1]);
  CHECK(after.listeners[1]->certificates()[0].not_after > before.listeners[1]->certificates()[0].not_after);
}

TEST_CASE("new files that are broken or expired change nothing, and the others count", "[tls_setup]") {
  Bench bench;
  const TlsSetup before = bench.load();
  SECTION("a certificate whose key has not come yet") {
    bench.files.folder.write("server.crt", Identity{{}, authority()}.certificate_pem());
    const TlsSetup after = bench.reload(before);
    CHECK(bench.keys() == Strings{"listeners[1].tls.private_key"});
    CHECK(after.listeners[1]->certificates()[0].not_after ==
          before.listeners[1]->certificates()[0].not_after);
    CHECK(after.apps[0]);
    CHECK(after.apps[0] != before.apps[0]);
  }
  SECTION("an expired certificate") {
    Wish wish;
    wish.begins = -72h;
    wish.ends = -48h;
    bench.files.write("server", Identity{wish, authority()});
    const TlsSetup after = bench.reload(before);
    CHECK(bench.keys() == Strings{"listeners[1].tls.certificate"});
    CHECK(after.listeners[1]->certificates()[0].not_after ==
          before.listeners[1]->certificates()[0].not_after);
  }
  SECTION("an app's authorities that are gone") {
    bench.files.folder.write("ca.crt", "");
    const TlsSetup after = bench.reload(before);
    CHECK(bench.keys() == Strings{"upstream.tls.ca"});
    CHECK(after.apps[0]);
    CHECK(after.listeners[1] != before.listeners[1]);
  }
  SECTION("a key that every user can read is used all the same") {
    bench.files.folder.write("server.key", anybody().key_pem(), 0644);
    const TlsSetup after = bench.reload(before);
    CHECK(bench.keys() == Strings{"listeners[1].tls.private_key"});
    CHECK(after.listeners[1] != before.listeners[1]);
  }
}

TEST_CASE("expired files are used at the start, where there is nothing before them", "[tls_setup]") {
  Bench bench;
  Wish wish;
  wish.begins = -72h;
  wish.ends = -48h;
  bench.files.write("server", Identity{wish, authority()});
  const TlsSetup setup = bench.load();
  CHECK(bench.keys() == Strings{"listeners[1].tls.certificate"});
  CHECK(setup.listeners[1]);
}

TEST_CASE("the files of a configuration are listed each once, those that are used only", "[tls_setup]") {
  config::Config config;
  CHECK(tls_files(config).empty());
  config.listeners.resize(2);
  config::ListenerTls& tls = config.listeners[1].tls.emplace();
  tls.certificate = "1";
  tls.private_key = "2";
  tls.additional = {{"3", "4"}, {"1", "2"}};
  tls.client_ca = "5";
  tls.client_crl = "6";
  config::UpstreamTls app;
  app.ca = "5";
  app.certificate = "7";
  app.private_key = "8";
  config.upstream = app_of(app, false);
  CHECK(tls_files(config) == Strings{"1", "2", "5", "6", "3", "4"});
  config.routes.push_back({{"a", ""}, app_of(app), {}, {}});
  CHECK(tls_files(config) == Strings{"1", "2", "5", "6", "3", "4", "7", "8"});
}

}  // namespace
}  // namespace wsproxy::net
