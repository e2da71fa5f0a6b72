#include "proxy/destination.hpp"

#include "base/ascii.hpp"

namespace wsproxy::proxy {
namespace {

std::string_view without_final_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

/// `a.example:80` gives `a.example`, `[::1]:80` gives `::1`.
std::string_view name_of(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return without_final_dot(host.substr(0, host.find(':')));
}

bool matches_host(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return true;
  pattern = without_final_dot(pattern);
  if (!pattern.starts_with("*.")) return base::iequals(pattern, name);
  const std::string_view suffix = pattern.substr(1);  // with its dot
  return name.size() > suffix.size() && base::iequals(name.substr(name.size() - suffix.size()), suffix);
}

}  // namespace

Destination default_destination(const config::Config& config) {
  return {&config.upstream, &config.compression, &config.limits, 0};
}

Destination destination_of(const config::Config& config, std::string_view host, std::string_view path) {
  const std::string_view name = name_of(host);
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const config::Route& route = config.routes[i];
    if (!matches_host(route.match.host, name) || !path.starts_with(route.match.path)) continue;
    return {&route.upstream, &route.compression, &route.limits, i + 1};
  }
  return default_destination(config);
}

}  // namespace wsproxy::proxy
