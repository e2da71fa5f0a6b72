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

void check_upstream(const Upstream& upstream, const std::string& key, Found& found) {
  check(upstream.url.tls, key + ".url: wss://", found);
  check(!upstream.tls.ca.empty(), key + ".tls.ca", found);
  check(!upstream.tls.server_name.empty(), key + ".tls.server_name", found);
  check(!upstream.tls.verify, key + ".tls.verify: false", found);
  check(!upstream.tls.certificate.empty(), key + ".tls.certificate", found);
  check(!upstream.tls.private_key.empty(), key + ".tls.private_key", found);
}

/// What a route inherits has been named already.
void check_route(const Route& route, const Config& config, const std::string& key, Build build,
                 Found& found) {
  Upstream own = route.upstream;
  if (own.url == config.upstream.url) own.url = {};
  if (own.tls == config.upstream.tls) own.tls = {};
  check_upstream(own, key + ".upstream", found);
  if (route.compression.engine != config.compression.engine) {
    check_engine(route.compression.engine, key + ".compression", build, found);
  }
}

}  // namespace

std::vector<std::string> unsupported_features(const Config& config, Build build) {
  Found found;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    check(config.listeners[i].tls.has_value(), fmt::format("listeners[{}].tls", i), found);
  }
  check_upstream(config.upstream, "upstream", found);
  check_engine(config.compression.engine, "compression", build, found);
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    check_route(config.routes[i], config, fmt::format("routes[{}]", i), build, found);
  }
  check(!config.sentry.dsn.empty(), "sentry.dsn", found);
  check(config.admin.is_unix(), "admin.address: unix:", found);
  return found;
}

}  // namespace wsproxy::config
