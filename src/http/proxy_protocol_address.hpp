#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wsproxy::http {

/// Addresses as a PROXY protocol header has them, in network byte order.
using Ipv4 = std::array<std::byte, 4>;
using Ipv6 = std::array<std::byte, 16>;

/// Exactly four decimals without leading zeros.
std::optional<Ipv4> parse_ipv4(std::string_view text);
/// Up to four hexadecimal digits a group, at most one "::", the last two groups also as IPv4 (RFC 4291
/// section 2.2); neither brackets nor a zone.
std::optional<Ipv6> parse_ipv6(std::string_view text);

/// ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
Ipv6 mapped(const Ipv4& address);
/// The IPv4 address that is mapped into this one, if it is such.
std::optional<Ipv4> mapped_in(const Ipv6& address);

/// One text for one address, so that texts can be compared (RFC 5952).
std::string text(const Ipv4& address);
std::string text(const Ipv6& address);

}  // namespace wsproxy::http
