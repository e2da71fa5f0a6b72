#include "config/validate.hpp"

#include <map>
#include <string>

#include <fmt/format.h>

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

void check_listeners(const Config& config, Errors& errors) {
  if (config.listeners.empty()) report(errors, "listeners", "is empty, at least one listener is needed");
  std::map<std::string, std::string> keys_of_addresses, keys_of_labels;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const Listener& listener = config.listeners[i];
    const std::string key = fmt::format("listeners[{}]", i);
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
  const auto clash = keys_of_addresses.find(config.admin.text());
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

void check_routes(const Config& config, Errors& errors) {
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const Route& route = config.routes[i];
    const std::string key = fmt::format("routes[{}]", i);
    if (route.match.host.empty() && route.match.path.empty()) {
      report(errors, key + ".match", "matches everything, must have a host or a path");
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
