#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "config/config.hpp"

namespace wsproxy::proxy {

/// Where a request goes and by what rules. Points into the config.
struct Destination {
  const config::Upstream* upstream = nullptr;
  const config::Compression* compression = nullptr;
  const config::Limits* limits = nullptr;
  std::size_t number = 0;  // 0: the upstream of the file, i + 1: that of routes[i]
};

/// The first route that fits, else the default. `host` as it stands in the Host field or the request's
/// target: its port, case and final dot do not count. `path` is without its query and compared as it is.
Destination destination_of(const config::Config& config, std::string_view host, std::string_view path);

/// What the status page calls the way to an app of that number.
std::string route_label(const config::Config& config, std::size_t number);
std::set<std::string> route_labels(const config::Config& config);

/// For a connection whose request is not known.
Destination default_destination(const config::Config& config);

}  // namespace wsproxy::proxy
