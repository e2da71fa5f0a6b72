#include "proxy/compression_level.hpp"

#include <catch2/catch.hpp>

using namespace wsproxy;

namespace {

config::Compression compression(std::uint8_t level, bool is_adaptive = true, bool is_enabled = true) {
  config::Compression result;
  result.level = level;
  result.adaptive = is_adaptive;
  result.enabled = is_enabled;
  return result;
}

config::Config with(config::Compression outside, std::vector<config::Compression> of_routes) {
  config::Config config;
  config.compression = outside;
  for (const auto& of_route : of_routes) {
    config.routes.push_back({{"host", ""}, {}, of_route, {}});
  }
  return config;
}

/// After so many busy rounds.
std::uint8_t lowest(const config::Config& config, int busy_rounds) {
  deflate::Governor governor(proxy::highest_adaptive_level(config));
  for (int i = 0; i < busy_rounds; ++i) governor.observe(1);
  return proxy::lowest_level(config, governor);
}

}  // namespace

TEST_CASE("The level in force is the lowest of the file's and its routes', lowered with the cap") {
  CHECK(lowest(with(compression(6), {}), 0) == 6);
  CHECK(lowest(with(compression(9), {compression(8)}), 0) == 8);
  CHECK(lowest(with(compression(9), {compression(8)}), 2) == 6);
  CHECK(lowest(with(compression(6), {compression(2)}), 2) == 2);
  CHECK(lowest(with(compression(6), {compression(2)}), 100) == 1);
}

TEST_CASE("What is not adaptive keeps its level and is no reason to lower another's") {
  CHECK(proxy::highest_adaptive_level(with(compression(9, false), {compression(5)})) == 5);
  CHECK(proxy::highest_adaptive_level(with(compression(9, false), {})) == 1);
  CHECK(lowest(with(compression(9, false), {}), 100) == 9);
  CHECK(lowest(with(compression(4, false), {compression(9)}), 2) == 4);
  CHECK(lowest(with(compression(4, false), {compression(9)}), 4) == 3);
}

TEST_CASE("What is switched off has no level") {
  CHECK(proxy::highest_adaptive_level(with(compression(6), {compression(9, true, false)})) == 6);
  CHECK(lowest(with(compression(6), {compression(1, true, false)}), 0) == 6);
  CHECK(lowest(with(compression(7, true, false), {}), 100) == 7);
}
