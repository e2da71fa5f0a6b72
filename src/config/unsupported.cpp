#include "config/unsupported.hpp"

#include <fmt/format.h>

namespace wsproxy::config {
namespace {

using Found = std::vector<std::string>;

void check(bool is_on, const std::string& key, Found& found) {
  if (is_on) found.push_back(key + ": not supported yet");
}

void check_engine(Engine engine, const std::string& key, Build build, Found& found) {
  if (engine != Engine::isal || build.has_isal) return;
  found.push_back(key + ".engine: isal: this build has no ISA-L; use auto or zlib");
}

}  // namespace

std::vector<std::string> unsupported_features(const Config& config, Build build) {
  Found found;
  check_engine(config.compression.engine, "compression", build, found);
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    // What a route inherits has been named already.
    const Engine engine = config.routes[i].compression.engine;
    if (engine != config.compression.engine) {
      check_engine(engine, fmt::format("routes[{}].compression", i), build, found);
    }
  }
  check(config.admin.address.is_unix(), "admin.address: unix:", found);
  return found;
}

}  // namespace wsproxy::config
