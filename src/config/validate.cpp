#include "config/validate.hpp"

#include <map>
#include <string>

#include <fmt/format.h>

#include "config/route_match.hpp"

namespace wsproxy::config {
namespace {

using Errors = std::vector<Error>;

void report(Errors& errors, std::string key, std::string problem) {
  errors.push_back({"", 0, 0, std::move(key), std::move(problem)});
}

/// Port 0 is a different port each time.
bool can_clash(const Address& address) {
  return address.is_unix() || address.port != 0;
}

void check_listener_tls(const ListenerTls& tls, const std::string& key, Errors& errors) {
  if (!tls.client_ca.empty()) return;
  const std::string problem = "needs client_ca, without which no client is asked for a certificate";
  if (tls.client_auth != ClientAuth::required) report(errors, key + ".client_auth", problem);
  if (!tls.client_crl.empty()) report(errors, key + ".client_crl", problem);
}

void check_listeners(const Config& config, Errors& errors) {
  if (config.listeners.empty()) report(errors, "listeners", "is empty, at least one listener is needed");
  std::map<std::string, std::string> keys_of_addresses, keys_of_labels;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const Listener& listener = config.listeners[i];
    const std::string key = fmt::format("listeners[{}]", i);
    if (listener.tls) check_listener_tls(*listener.tls, key + ".tls", errors);
    if (!can_clash(listener.address)) continue;
    const auto [first, is_new] = keys_of_addresses.emplace(listener.address.text(), key + ".address");
    if (!is_new) {
      report(errors, key + ".address",
             fmt::format("{} is also {}, each must be its own", first->first, first->second));
      continue;
    }
    const auto [named, is_new_name] = keys_of_labels.emplace(listener.label(), key + ".name");
    if (!is_new_name) {
      report(errors, key + ".name",
             fmt::format("\"{}\" is also {}, each must be its own", named->first, named->second));
    }
  }
  const auto clash = keys_of_addresses.find(config.admin.address.text());
  if (clash != keys_of_addresses.end()) {
    report(errors, "admin.address",
           fmt::format("{} is also {}, each must be its own", clash->first, clash->second));
  }
}

void check_upstream_tls(const UpstreamTls& tls, const std::string& key, Errors& errors) {
  if (tls.certificate.empty() == tls.private_key.empty()) return;
  const bool lacks_key = tls.private_key.empty();
  report(errors, key + (lacks_key ? ".private_key" : ".certificate"),
         fmt::format("is missing, {} needs it", lacks_key ? "certificate" : "private_key"));
}

bool matches_everything(const RouteMatch& match) {
  return match.host.empty() && match.path.empty();
}

void check_order(const std::vector<Route>& routes, std::size_t i, Errors& errors) {
  for (std::size_t earlier = 0; earlier < i; ++earlier) {
    if (matches_everything(routes[earlier].match) || !covers(routes[earlier].match, routes[i].match))
      continue;
    report(errors, fmt::format("routes[{}].match", i),
           fmt::format("never matches, routes[{}] takes all of it before; the narrower one must come first",
                       earlier));
    return;
  }
}

void check_routes(const Config& config, Errors& errors) {
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const Route& route = config.routes[i];
    const std::string key = fmt::format("routes[{}]", i);
    if (matches_everything(route.match)) {
      report(errors, key + ".match", "matches everything, must have a host or a path");
    }
    check_order(config.routes, i, errors);
    if (route.compression.memory != config.compression.memory) {
      report(errors, key + ".compression.memory", "is one for all routes, set compression.memory instead");
    }
    if (route.upstream.tls != config.upstream.tls)
      check_upstream_tls(route.upstream.tls, key + ".upstream.tls", errors);
  }
}

}  // namespace

std::vector<Error> validate(const Config& config) {
  Errors errors;
  check_listeners(config, errors);
  check_upstream_tls(config.upstream.tls, "upstream.tls", errors);
  check_routes(config, errors);
  return errors;
}

}  // namespace wsproxy::config
