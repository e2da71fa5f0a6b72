#include <optional>

#include "http/proxy_protocol.hpp"
#include "http/proxy_protocol_address.hpp"

namespace wsproxy::http {

namespace {

/// Both ends in one family.
template <typename Address>
struct Ends {
  Address source;
  Address destination;
};

std::optional<Ends<Ipv4>> as_v4(const ProxiedAddresses& addresses) {
  const auto source = parse_ipv4(addresses.source.host);
  const auto destination = parse_ipv4(addresses.destination.host);
  if (!source || !destination) return std::nullopt;
  return Ends<Ipv4>{*source, *destination};
}

std::optional<Ipv6> parse_either(std::string_view host) {
  if (const auto v4 = parse_ipv4(host)) return mapped(*v4);
  return parse_ipv6(host);
}

std::optional<Ends<Ipv6>> as_v6(const ProxiedAddresses& addresses) {
  const auto source = parse_either(addresses.source.host);
  const auto destination = parse_either(addresses.destination.host);
  if (!source || !destination) return std::nullopt;
  return Ends<Ipv6>{*source, *destination};
}

template <typename Address>
std::string v1_line(std::string_view family, const Ends<Address>& ends, const ProxiedAddresses& addresses) {
  std::string line{"PROXY "};
  line.append(family).append(" ").append(text(ends.source)).append(" ").append(text(ends.destination));
  line.append(" ").append(std::to_string(addresses.source.port));
  line.append(" ").append(std::to_string(addresses.destination.port)).append("\r\n");
  return line;
}

void append_be16(std::string& to, std::size_t value) {
  to += static_cast<char>(value >> 8 & 0xff);
  to += static_cast<char>(value & 0xff);
}

std::string v2_start(unsigned char command, unsigned char family, std::size_t length) {
  std::string header{kProxyV2Signature};
  header += static_cast<char>(0x20 | command);
  header += static_cast<char>(family);
  append_be16(header, length);
  return header;
}

template <typename Address>
std::string v2_block(unsigned char family, const Ends<Address>& ends, const ProxiedAddresses& addresses) {
  std::string header = v2_start(1, family, 2 * sizeof(Address) + 4);
  for (const Address& address : {ends.source, ends.destination}) header += base::as_text(address);
  append_be16(header, addresses.source.port);
  append_be16(header, addresses.destination.port);
  return header;
}

}  // namespace

std::string proxy_header(ProxyVersion version, const ProxiedAddresses& addresses) {
  const bool is_v1 = version == ProxyVersion::v1;
  if (!addresses.is_local) {
    if (const auto v4 = as_v4(addresses)) {
      return is_v1 ? v1_line("TCP4", *v4, addresses) : v2_block(0x11, *v4, addresses);
    }
    if (const auto v6 = as_v6(addresses)) {
      return is_v1 ? v1_line("TCP6", *v6, addresses) : v2_block(0x21, *v6, addresses);
    }
  }
  return is_v1 ? "PROXY UNKNOWN\r\n" : v2_start(0, 0, 0);
}

}  // namespace wsproxy::http
