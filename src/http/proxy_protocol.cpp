#include "http/proxy_protocol.hpp"

#include <algorithm>
#include <optional>

#include "base/ascii.hpp"
#include "http/proxy_protocol_address.hpp"

namespace wsproxy::http {

namespace {

constexpr std::string_view kV1Start = "PROXY ";
constexpr std::size_t kV2Start = 16;  // signature, version and command, family, length

enum Command : unsigned { kLocal = 0, kProxy = 1 };
enum Family : unsigned { kUnspecified = 0, kInet = 1, kInet6 = 2, kUnix = 3 };
enum Transport : unsigned { kUnknown = 0, kStream = 1, kDatagram = 2 };

/// Section 2.2: two addresses and, but for unix sockets, two ports.
constexpr std::array<std::size_t, 4> kAddressBytes{0, 12, 36, 216};

unsigned high(std::byte byte) {
  return std::to_integer<unsigned>(byte >> 4);
}
unsigned low(std::byte byte) {
  return std::to_integer<unsigned>(byte & std::byte{15});
}

/// What is before the next space; nothing when there is no such space.
std::optional<std::string_view> take_word(std::string_view& line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(space + 1);
  return word;
}

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  if (digits.size() > 5 || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  const auto port = base::parse_decimal(digits);
  if (!port || *port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

std::string plain_text(const Ipv6& address) {
  const auto v4 = mapped_in(address);
  return v4 ? text(*v4) : text(address);
}

/// One text for one address, in the family that was announced.
std::optional<std::string> normal(std::string_view host, bool is_v6) {
  if (is_v6) {
    const auto v6 = parse_ipv6(host);
    return v6 ? std::optional{plain_text(*v6)} : std::nullopt;
  }
  const auto v4 = parse_ipv4(host);
  return v4 ? std::optional{text(*v4)} : std::nullopt;
}

template <typename Address>
Address load(const std::byte* from) {
  Address address;
  std::copy_n(from, address.size(), address.begin());
  return address;
}

}  // namespace

ProxyHeaderStatus ProxyHeaderReader::feed(base::Bytes input, std::size_t& used) {
  std::size_t seen = 0;
  while (status_ == ProxyHeaderStatus::need_more && seen < input.size()) {
    if (left_to_skip_ == 0) {
      held_[size_++] = input[seen++];
      on_byte();
    } else {
      const std::size_t skipped = std::min(left_to_skip_, input.size() - seen);
      seen += skipped;
      left_to_skip_ -= skipped;
      if (left_to_skip_ == 0) status_ = ProxyHeaderStatus::complete;
    }
  }
  used += seen;
  return status_;
}

void ProxyHeaderReader::on_byte() {
  if (base::as_text(held_).front() == kProxyV2Signature.front()) {
    on_v2_byte();
  } else {
    on_v1_byte();
  }
}

void ProxyHeaderReader::on_v1_byte() {
  const std::string_view line = base::as_text(base::Bytes{held_}.first(size_));
  const char last = line.back();
  if (line.size() <= kV1Start.size()) {
    if (last != kV1Start[line.size() - 1]) fail("it begins like no PROXY protocol header");
    return;
  }
  // Section 2.1: neither CR nor LF alone ends the line.
  const bool is_after_cr = line[line.size() - 2] == '\r';
  if ((last == '\n') != is_after_cr) {
    fail("the line does not end with CRLF");
  } else if (is_after_cr) {
    read_line(line.substr(kV1Start.size(), line.size() - kV1Start.size() - 2));
  } else if (size_ == held_.size()) {
    fail("the line is longer than 107 bytes");
  }
}

void ProxyHeaderReader::read_line(std::string_view line) {
  // Section 2.1: whatever else stands in such a line is ignored.
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) {
    status_ = ProxyHeaderStatus::complete;
    return;
  }
  const auto family = take_word(line);
  if (family != "TCP4" && family != "TCP6") return fail("the protocol is not TCP4, TCP6 or UNKNOWN");
  const bool is_v6 = family == "TCP6";
  const auto source = take_word(line);
  const auto destination = take_word(line);
  const auto source_port = take_word(line);
  if (!source || !destination || !source_port) return fail("a field is missing");
  const auto source_host = normal(*source, is_v6);
  const auto destination_host = normal(*destination, is_v6);
  if (!source_host || !destination_host) return fail("an address is not one of its family");
  const auto from = parse_port(*source_port);
  const auto to = parse_port(line);
  if (!from || !to) return fail("a port is not a number up to 65535");
  addresses_ = {false, {*source_host, *from}, {*destination_host, *to}};
  status_ = ProxyHeaderStatus::complete;
}

void ProxyHeaderReader::on_v2_byte() {
  if (size_ <= kProxyV2Signature.size()) {
    if (base::as_text(held_)[size_ - 1] != kProxyV2Signature[size_ - 1]) {
      fail("it begins like no PROXY protocol header");
    }
  } else if (size_ == kV2Start) {
    judge_v2_start();
  } else if (size_ == v2_size_) {
    take_v2_addresses();
  }
}

void ProxyHeaderReader::judge_v2_start() {
  const unsigned command = low(held_[12]);
  const unsigned family = high(held_[13]);
  const unsigned transport = low(held_[13]);
  const std::size_t length = base::load_be16(&held_[14]);
  if (high(held_[12]) != 2) return fail("the version is not 2");
  if (command > kProxy) return fail("the command is not LOCAL or PROXY");
  if (command == kLocal) return skip(length);  // whatever the family
  if (family > kUnix || transport > kDatagram) return fail("the family or the transport is not a known one");
  if (family == kUnspecified || transport == kUnknown) return skip(length);
  if (length < kAddressBytes[family]) return fail("the addresses are shorter than their family needs");
  if (transport == kDatagram) return skip(length);  // no such client can have come here
  if (family == kUnix) {
    addresses_.is_local = false;
    return skip(length);
  }
  v2_size_ = kV2Start + kAddressBytes[family];
  v2_behind_ = length - kAddressBytes[family];
}

void ProxyHeaderReader::take_v2_addresses() {
  const std::byte* const at = &held_[kV2Start];
  const bool is_v6 = high(held_[13]) == kInet6;
  const std::size_t size = is_v6 ? sizeof(Ipv6) : sizeof(Ipv4);
  const auto host = [is_v6](const std::byte* from) {
    return is_v6 ? plain_text(load<Ipv6>(from)) : text(load<Ipv4>(from));
  };
  const std::byte* const ports = at + 2 * size;
  addresses_ = {false, {host(at), base::load_be16(ports)}, {host(at + size), base::load_be16(ports + 2)}};
  skip(v2_behind_);
}

void ProxyHeaderReader::skip(std::size_t bytes) {
  left_to_skip_ = bytes;
  if (bytes == 0) status_ = ProxyHeaderStatus::complete;
}

void ProxyHeaderReader::fail(std::string_view problem) {
  status_ = ProxyHeaderStatus::malformed;
  problem_ = problem;
}

}  // namespace wsproxy::http
