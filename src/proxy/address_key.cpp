#include "proxy/address_key.hpp"

#include <boost/asio/ip/address.hpp>

namespace wsproxy::proxy {

namespace ip = boost::asio::ip;

namespace {

constexpr std::size_t kPrefixBytes = 8;

template <class Bytes>
std::string first_bytes(const Bytes& bytes, std::size_t count) {
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

std::string address_key(const std::string& address) {
  boost::system::error_code error;
  const ip::address parsed = ip::make_address(address, error);
  if (error) return {};
  if (parsed.is_v4()) return first_bytes(parsed.to_v4().to_bytes(), sizeof(ip::address_v4::bytes_type));
  const ip::address_v6 v6 = parsed.to_v6();
  if (v6.is_v4_mapped()) {
    const auto v4 = ip::make_address_v4(ip::v4_mapped, v6);
    return first_bytes(v4.to_bytes(), sizeof(ip::address_v4::bytes_type));
  }
  return first_bytes(v6.to_bytes(), kPrefixBytes);
}

}  // namespace wsproxy::proxy
