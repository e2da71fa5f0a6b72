#pragma once

#include <string_view>

#include "config/config.hpp"
#include "config/parsed.hpp"

namespace wsproxy::config {

/// An IPv4 address, an IPv6 address without brackets, or a name.
bool is_host(std::string_view host);

/// host:port, [ipv6]:port or unix:/path. Port 0 lets the system choose.
Parsed<Address> parse_address(std::string_view text);

/// ws://host[:port][/path], wss:// likewise, or ws+unix:/path. No user, query or fragment.
Parsed<UpstreamUrl> parse_upstream_url(std::string_view text);

/// An address and a prefix length: 10.0.0.0/8, fd00::/8; without a length one address. What is wrong
/// with it, or nothing.
std::string cidr_problem(std::string_view text);

}  // namespace wsproxy::config
