#include "proxy/address_ranges.hpp"

#include <algorithm>

#include <boost/asio/ip/address.hpp>

namespace wsproxy::proxy {

namespace ip = boost::asio::ip;

AddressRanges::AddressRanges(const std::vector<std::string>& ranges) {
  for (const std::string& range : ranges) add(range);
}

void AddressRanges::add(const std::string& range) {
  const bool has_length = range.find('/') != std::string::npos;
  boost::system::error_code error;
  if (range.find(':') == std::string::npos) {
    const ip::network_v4 network = ip::make_network_v4(has_length ? range : range + "/32", error);
    if (!error) v4_.push_back(network.canonical());
  } else {
    const ip::network_v6 network = ip::make_network_v6(has_length ? range : range + "/128", error);
    if (!error) v6_.push_back(network.canonical());
  }
}

bool AddressRanges::contains(const std::string& address) const {
  boost::system::error_code error;
  const ip::address peer = ip::make_address(address, error);
  if (error) return false;
  if (peer.is_v4()) {
    return std::ranges::any_of(v4_, [&peer](const ip::network_v4& network) {
      return ip::network_v4(peer.to_v4(), network.prefix_length()).canonical() == network;
    });
  }
  return std::ranges::any_of(v6_, [&peer](const ip::network_v6& network) {
    return ip::network_v6(peer.to_v6(), network.prefix_length()).canonical() == network;
  });
}

}  // namespace wsproxy::proxy
