#pragma once

#include <cstdint>
#include <string>

#include "config/config.hpp"
#include "net/types.hpp"

namespace wsproxy::net {

/// Where to listen or to connect to: a host and a port, or the path of a unix socket.
struct Target {
  std::string host;
  std::uint16_t port = 0;
  std::string unix_path;
};

Protocol::endpoint unix_endpoint(const std::string& path);
/// Who a peer is: IPv4-mapped IPv6 as IPv4; nothing for a unix socket.
Target target_of(const Protocol::endpoint& peer);
/// Where the app of a URL listens.
Target target_of(const config::UpstreamUrl& url);
/// For logs: 127.0.0.1:80, [::1]:80, unix:/path.
std::string text(const Target& target);

}  // namespace wsproxy::net
