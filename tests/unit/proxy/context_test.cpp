#include "proxy/context.hpp"

#include <catch2/catch.hpp>

#include "support/kept_log.hpp"

using namespace wsproxy;

namespace {

/// A worker's context whose log is kept.
class Rig {
 public:
  explicit Rig(const config::Config& config)
      : quota_(config.limits),
        context(io_,
                std::make_shared<const proxy::Settings>(std::make_shared<const config::Config>(config),
                                                        net::TlsSetup{}, quota_),
                log_.log(), quota_, std::size_t{1} << 20) {}

  void observe(double utilisation, int rounds) {
    for (int i = 0; i < rounds; ++i) context.observe_load(utilisation);
  }
  /// What was logged; ends the log.
  const std::string& lines() { return log_.lines(); }

 private:
  net::IoContext io_;
  test::KeptLog log_;
  proxy::Quota quota_;

 public:
  proxy::Context context;
};

bool has(const std::string& lines, const std::string& text) {
  return lines.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("A worker that is busy lowers its level, one that is calm again raises it, and both are told") {
  Rig rig{config::Config{}};
  CHECK(rig.context.counters.compression_level == 6);
  rig.observe(0.912, 2);
  CHECK(rig.context.counters.compression_level == 3);
  CHECK(rig.context.codecs.governor.cap() == 3);
  rig.observe(0.1, 5);
  CHECK(rig.context.counters.compression_level == 6);
  CHECK(rig.context.codecs.governor.cap() == 6);
  const std::string lines = rig.lines();
  CHECK(has(lines, "the CPU is short: compression level lowered level=3 utilisation=0.91\n"));
  CHECK(has(lines, "compression level raised again level=6 utilisation=0.1\n"));
}

TEST_CASE("A level that may not be lowered is left alone, and nothing is told") {
  config::Config config;
  config.compression.adaptive = false;
  Rig rig{config};
  rig.observe(1, 20);
  CHECK(rig.context.counters.compression_level == 6);
  CHECK(rig.lines().empty());
}
