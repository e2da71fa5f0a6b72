#pragma once

#include <memory>
#include <vector>

#include "config/config.hpp"
#include "net/tls_setup.hpp"
#include "proxy/address_ranges.hpp"
#include "proxy/quota.hpp"

namespace wsproxy::proxy {

/// What the connections that begin now go by. It never changes: a reload makes a new one, and whoever is open
/// keeps what it began with, so that an index of one is never looked up in another. Shared by all workers.
struct Settings {
  Settings(std::shared_ptr<const config::Config> of, net::TlsSetup tls_of, Quota& quota)
      : config(std::move(of)),
        tls(std::move(tls_of)),
        trusted_proxies(config->headers.trusted_proxies),
        apps(quota.apps_of(*config)) {}

  std::shared_ptr<const config::Config> config;
  net::TlsSetup tls;
  AddressRanges trusted_proxies;
  std::vector<AppPtr> apps;  // by the number of the destination
};

}  // namespace wsproxy::proxy
