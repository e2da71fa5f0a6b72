#include "proxy/destination.hpp"

#include "config/route_match.hpp"

namespace wsproxy::proxy {
namespace {

/// `a.example:80` gives `a.example`, `[::1]:80` gives `::1`.
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

}  // namespace

Destination default_destination(const config::Config& config) {
  return {&config.upstream, &config.compression, &config.limits, 0};
}

Destination destination_of(const config::Config& config, std::string_view host, std::string_view path) {
  const std::string_view name = without_port(host);
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const config::Route& route = config.routes[i];
    if (matches(route.match, name, path)) return {&route.upstream, &route.compression, &route.limits, i + 1};
  }
  return default_destination(config);
}

std::string route_label(const config::Config& config, std::size_t number) {
  return number == 0 ? "default" : config.routes[number - 1].label();
}

std::set<std::string> route_labels(const config::Config& config) {
  std::set<std::string> labels;
  for (std::size_t number = 0; number <= config.routes.size(); ++number) {
    labels.insert(route_label(config, number));
  }
  return labels;
}

}  // namespace wsproxy::proxy
