#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

/// The PROXY protocol: what a load balancer writes ahead of a client's first byte to say who the client is.
/// Section numbers are those of HAProxy's doc/proxy-protocol.txt.
namespace wsproxy::http {

/// What a header of version 2 begins with (section 2.2).
inline constexpr std::string_view kProxyV2Signature{"\r\n\r\n\0\r\nQUIT\n", 12};

struct ProxiedEnd {
  std::string host;  // an address as text, IPv6 without brackets; empty for a unix socket
  std::uint16_t port = 0;
  bool operator==(const ProxiedEnd&) const = default;
};

/// What a header says. IPv4-mapped IPv6 is told as IPv4.
struct ProxiedAddresses {
  /// The header says nothing: v2 LOCAL, v1 UNKNOWN, or something that is no stream. The addresses of the
  /// socket itself count.
  bool is_local = true;
  ProxiedEnd source;       // the client
  ProxiedEnd destination;  // what it has connected to
  bool operator==(const ProxiedAddresses&) const = default;
};

enum class ProxyHeaderStatus : std::uint8_t { need_more, complete, malformed };

/// Reads one header of either version, however it is cut, and nothing behind it. Holds at most 107 bytes
/// (section 2.1): of a v2 header what stands behind the addresses is skipped as it comes, up to the 65535
/// bytes that its length can announce.
class ProxyHeaderReader {
 public:
  /// Adds to `used` what belongs to the header. After complete or malformed nothing is read any more.
  ProxyHeaderStatus feed(base::Bytes input, std::size_t& used);
  /// Valid once complete.
  const ProxiedAddresses& addresses() const { return addresses_; }
  /// A literal; valid after malformed.
  std::string_view problem() const { return problem_; }
  bool has_begun() const { return size_ > 0; }

 private:
  void on_byte();
  void on_v1_byte();
  void read_line(std::string_view line);
  void on_v2_byte();
  void judge_v2_start();
  void take_v2_addresses();
  void skip(std::size_t bytes);
  void fail(std::string_view problem);

  std::array<std::byte, 107> held_{};
  std::size_t size_ = 0;
  std::size_t v2_size_ = 0;    // of what is to be held, once it is known
  std::size_t v2_behind_ = 0;  // bytes that follow that
  std::size_t left_to_skip_ = 0;
  ProxyHeaderStatus status_ = ProxyHeaderStatus::need_more;
  ProxiedAddresses addresses_;
  std::string_view problem_;
};

enum class ProxyVersion : std::uint8_t { v1, v2 };

/// The header for an app. Ends of different families are both written as IPv6. Without two addresses:
/// PROXY UNKNOWN, or LOCAL.
std::string proxy_header(ProxyVersion version, const ProxiedAddresses& addresses);

}  // namespace wsproxy::http
