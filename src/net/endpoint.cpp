#include "net/endpoint.hpp"

#include <cstring>

namespace wsproxy::net {

Protocol::endpoint unix_endpoint(const std::string& path) {
  return Protocol::endpoint{asio::local::stream_protocol::endpoint{path}};
}

Target target_of(const Protocol::endpoint& peer) {
  const int family = peer.protocol().family();
  if (family != AF_INET && family != AF_INET6) return {};
  asio::ip::tcp::endpoint tcp;
  std::memcpy(tcp.data(), peer.data(), std::min(peer.size(), tcp.capacity()));
  asio::ip::address address = tcp.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return {address.to_string(), tcp.port(), {}};
}

Target target_of(const config::UpstreamUrl& url) {
  return {url.host, url.port, url.unix_path};
}

std::string text(const Target& target) {
  if (!target.unix_path.empty()) return "unix:" + target.unix_path;
  const bool is_v6 = target.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + target.host + "]" : target.host) + ":" + std::to_string(target.port);
}

}  // namespace wsproxy::net
