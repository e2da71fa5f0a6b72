#pragma once

#include <string>

namespace wsproxy::proxy {

/// Whom an address counts as, in a few bytes that only mean something to each other: an IPv4 address, in
/// IPv6 clothing too, itself; an IPv6 address its /64, which one subscriber has to itself. Empty for what is
/// no address.
std::string address_key(const std::string& address);

}  // namespace wsproxy::proxy
