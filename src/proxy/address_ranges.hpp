#pragma once

#include <string>
#include <vector>

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

namespace wsproxy::proxy {

/// Networks such as those of headers.trusted_proxies, read once.
class AddressRanges {
 public:
  AddressRanges() = default;
  /// CIDRs or single addresses; what is neither is left out (the configuration has been validated).
  explicit AddressRanges(const std::vector<std::string>& ranges);

  /// `address` as text without a port; anything that is no address is in no range.
  bool contains(const std::string& address) const;

 private:
  void add(const std::string& range);

  std::vector<boost::asio::ip::network_v4> v4_;
  std::vector<boost::asio::ip::network_v6> v6_;
};

}  // namespace wsproxy::proxy
