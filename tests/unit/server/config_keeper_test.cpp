#include "server/config_keeper.hpp"

#include <catch2/catch.hpp>

#include "support/certificates.hpp"
#include "support/kept_log.hpp"
#include "support/manual_clock.hpp"

namespace wsproxy::server {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;

struct Bench {
  test::TemporaryFolder folder;
  net::IoContext io;
  test::KeptLog log;
  ReloadCount count;
  std::vector<ConfigKeeper::ConfigPtr> applied;
  std::string trouble;  // of putting it into force
  std::unique_ptr<ConfigKeeper> keeper;

  /// `meanwhile` is what stands in the file when it has been read and is not watched yet.
  explicit Bench(const std::string& yaml, const std::string& meanwhile = "") {
    folder.write("c.yaml", yaml);
    const auto first = std::make_shared<const config::Config>(read().config);
    if (!meanwhile.empty()) folder.write("c.yaml", meanwhile);
    keeper = std::make_unique<ConfigKeeper>(
        io, first, ConfigSource{folder.path("c.yaml"), [this] { return read(); }}, log.log(), count);
    keeper->start([this](const ConfigKeeper::ConfigPtr& next) {
      if (!trouble.empty()) throw std::runtime_error(trouble);
      applied.push_back(next);
    });
  }
  config::ReadResult read() const {
    return config::load_config(folder.path("c.yaml"), [](const std::string&) { return std::nullopt; });
  }
  void write(const std::string& yaml) {
    folder.write("c.yaml", yaml);
    test::pass(io, 0s);
    test::pass(io, FileWatch::kQuiet);
  }
  const std::string& logged() {
    keeper.reset();
    return log.lines();
  }
};

TEST_CASE("a file that has changed is put into force, and what is different is told", "[config_keeper]") {
  Bench bench("limits: {max_connections: 5}\n");
  bench.write("limits: {max_connections: 6}\nlog: {level: debug}\n");
  REQUIRE(bench.applied.size() == 1);
  CHECK(bench.applied[0]->limits.max_connections == 6);
  CHECK(bench.keeper->current() == bench.applied[0]);
  CHECK(bench.count.counters().succeeded == 1);
  const std::string& lines = bench.logged();
  CHECK_THAT(lines, Contains("configuration changed key=limits.max_connections before=5 after=6"));
  CHECK_THAT(lines, Contains("configuration changed key=log.level before=info after=debug"));
  CHECK_THAT(lines, Contains("configuration reloaded") && Contains("changes=2"));
}

TEST_CASE("what changes between the first reading and the watch is found as well", "[config_keeper]") {
  const Bench changed("limits: {max_connections: 5}\n", "limits: {max_connections: 6}\n");
  REQUIRE(changed.applied.size() == 1);
  CHECK(changed.applied[0]->limits.max_connections == 6);
  const Bench broken("limits: {max_connections: 5}\n", "limits: {max_connections: 0}\n");
  CHECK(broken.applied.empty());
  CHECK(broken.count.counters().failed == 1);
  const Bench same("limits: {max_connections: 5}\n", "limits: {max_connections: 5} # as before\n");
  CHECK(same.applied.empty());
  CHECK(same.count.counters().succeeded == 0);
}

TEST_CASE("a burst of writes is one reload", "[config_keeper]") {
  Bench bench("limits: {max_connections: 5}\n");
  for (int i = 6; i < 10; ++i) {
    bench.folder.write("c.yaml", "limits: {max_connections: " + std::to_string(i) + "}\n");
    test::pass(bench.io, FileWatch::kQuiet / 2);
  }
  test::pass(bench.io, FileWatch::kQuiet);
  REQUIRE(bench.applied.size() == 1);
  CHECK(bench.applied[0]->limits.max_connections == 9);
}

TEST_CASE("a broken file changes nothing and says where", "[config_keeper]") {
  Bench bench("limits: {max_connections: 5}\n");
  bench.write("limits: {max_connections: 0}\nlog: {levle: debug}\n");
  CHECK(bench.applied.empty());
  CHECK(bench.keeper->current()->limits.max_connections == 5);
  CHECK(bench.count.counters().failed == 1);
  CHECK(bench.count.counters().succeeded == 0);
  bench.write("limits: {max_connections: 7}\n");
  CHECK(bench.applied.size() == 1);
  const std::string& lines = bench.logged();
  CHECK_THAT(lines, Contains("error") && Contains("c.yaml:1:27: limits.max_connections"));
  CHECK_THAT(lines, Contains("c.yaml:2:7: log.levle"));
}

TEST_CASE("an empty file is somebody who is about to write, not the defaults", "[config_keeper]") {
  Bench bench("limits: {max_connections: 5}\n");
  bench.write("");
  CHECK(bench.applied.empty());
  CHECK(bench.count.counters().failed == 1);
  bench.write("{}\n");
  REQUIRE(bench.applied.size() == 1);
  CHECK(*bench.applied[0] == config::Config{});
}

TEST_CASE("one that cannot be put into force changes nothing", "[config_keeper]") {
  Bench bench("limits: {max_connections: 5}\n");
  bench.trouble = "cannot listen on 127.0.0.1:1: Permission denied";
  bench.write("listeners: [{address: 127.0.0.1:1}]\n");
  CHECK(bench.keeper->current()->limits.max_connections == 5);
  CHECK(bench.count.counters().failed == 1);
  const std::string& lines = bench.logged();
  CHECK_THAT(lines, Contains("cannot listen on 127.0.0.1:1"));
  CHECK_THAT(lines, !Contains("configuration changed"));
}

TEST_CASE("after a refused one the file as it was is put into force once more", "[config_keeper]") {
  Bench bench("limits: {max_connections: 5}\n");
  bench.trouble = "cannot listen on 127.0.0.1:1: Permission denied";
  bench.write("listeners: [{address: 127.0.0.1:1}]\n");
  bench.trouble.clear();
  bench.write("limits: {max_connections: 5}\n");
  CHECK(bench.applied.size() == 1);
  bench.write("limits: {max_connections: 5} # again\n");
  CHECK(bench.applied.size() == 1);
}

TEST_CASE("what cannot change stays in force, and that is said each time", "[config_keeper]") {
  Bench bench("workers: 2\n");
  bench.write("workers: 3\n");
  CHECK(bench.applied.empty());
  CHECK(bench.keeper->current()->workers == 2);
  bench.write("workers: 3\nlog: {access: false}\n");
  REQUIRE(bench.applied.size() == 1);
  CHECK(bench.applied[0]->workers == 2);
  const std::string& lines = bench.logged();
  const std::string line = "configuration changed: needs a restart key=workers before=2 after=3";
  const auto first = lines.find(line);
  REQUIRE(first != std::string::npos);
  CHECK(lines.find(line, first + 1) != std::string::npos);
}

TEST_CASE("the memory of all routes is the process's", "[config_keeper]") {
  config::Config now;
  config::Config next;
  next.compression.memory = 1 << 20;
  next.routes.push_back({{"a", ""}, next.upstream, next.compression, next.limits});
  const config::Config fixed = with_fixed(next, now);
  CHECK(fixed.compression.memory == now.compression.memory);
  CHECK(fixed.routes[0].compression.memory == now.compression.memory);
}

TEST_CASE("asked by a signal, an unchanged file is a reload too", "[config_keeper]") {
  Bench bench("limits: {max_connections: 5}\n");
  bench.keeper->reload();
  CHECK(bench.applied.empty());
  CHECK(bench.count.counters().succeeded == 1);
  CHECK_THAT(bench.logged(), Contains("configuration reloaded") && Contains("changes=0"));
}

}  // namespace
}  // namespace wsproxy::server
