#include "config/unsupported.hpp"

#include <fmt/format.h>

namespace wsproxy::config {

std::vector<std::string> unsupported_features(const Config& config) {
  std::vector<std::string> found;
  const auto check = [&found](bool is_on, const std::string& key) {
    if (is_on) found.push_back(key + ": not supported yet");
  };
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    check(config.listeners[i].proxy_protocol, fmt::format("listeners[{}].proxy_protocol", i));
    check(config.listeners[i].tls.has_value(), fmt::format("listeners[{}].tls", i));
  }
  check(config.upstream.url.tls, "upstream.url: wss://");
  const UpstreamTls& tls = config.upstream.tls;
  check(!tls.ca.empty(), "upstream.tls.ca");
  check(!tls.server_name.empty(), "upstream.tls.server_name");
  check(!tls.verify, "upstream.tls.verify: false");
  check(!tls.certificate.empty(), "upstream.tls.certificate");
  check(!tls.private_key.empty(), "upstream.tls.private_key");
  check(config.compression.engine == Engine::isal, "compression.engine: isal");
  check(!config.routes.empty(), "routes");
  check(!config.sentry.dsn.empty(), "sentry.dsn");
  check(config.admin.is_unix(), "admin.address: unix:");
  return found;
}

}  // namespace wsproxy::config
