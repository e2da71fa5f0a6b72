#pragma once

#include <string_view>

#include "config/config.hpp"

namespace wsproxy::config {

/// Whether a request for this host, a name or an address without port, and this path is one of the route's.
/// Case and a final dot of the host do not count; `*.` stands for one label or more; a path matches by its
/// beginning.
bool matches(const RouteMatch& match, std::string_view host, std::string_view path);

/// Whether every request that `narrow` matches is matched by `wide` too.
bool covers(const RouteMatch& wide, const RouteMatch& narrow);

}  // namespace wsproxy::config
