#include "http/proxy_protocol_address.hpp"

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/ascii.hpp"
#include "base/bytes.hpp"

namespace wsproxy::http {

namespace {

constexpr std::size_t kGroups = 8;
constexpr Ipv6 kMapped{{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::byte{0xff}, std::byte{0xff}}};
constexpr std::size_t kMappedPrefix = 12;

using Groups = std::array<std::uint16_t, kGroups>;

std::optional<std::uint16_t> parse_group(std::string_view digits) {
  if (digits.empty() || digits.size() > 4) return std::nullopt;
  unsigned value = 0;
  for (const char c : digits) {
    const auto digit = base::hex_value(c);
    if (!digit) return std::nullopt;
    value = value * 16 + *digit;
  }
  return static_cast<std::uint16_t>(value);
}

/// Groups between colons, one side of "::" or all of them; how many there were, or nothing.
std::optional<std::size_t> parse_groups(std::string_view text, bool may_end_in_ipv4, Groups& into) {
  std::size_t count = 0;
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    const bool is_last = colon == std::string_view::npos;
    if (is_last && may_end_in_ipv4 && part.find('.') != std::string_view::npos) {
      const auto tail = parse_ipv4(part);
      if (!tail || count + 2 > kGroups) return std::nullopt;
      into[count++] = base::load_be16(tail->data());
      into[count++] = base::load_be16(tail->data() + 2);
      return count;
    }
    const auto group = parse_group(part);
    if (!group || count == kGroups) return std::nullopt;
    into[count++] = *group;
    if (is_last) return count;
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;
  }
  return count;
}

struct Run {
  std::size_t begin = kGroups;
  std::size_t size = 0;
};

/// RFC 5952 section 4.2: the first of the longest, and one zero alone is none.
Run longest_run_of_zeros(const Groups& groups) {
  Run best;
  for (std::size_t begin = 0; begin < kGroups; ++begin) {
    std::size_t end = begin;
    while (end < kGroups && groups[end] == 0) ++end;
    if (end - begin > std::max<std::size_t>(best.size, 1)) best = {begin, end - begin};
    begin = end;
  }
  return best;
}

void append_group(std::string& to, std::uint16_t group) {
  constexpr std::string_view kHex = "0123456789abcdef";
  bool has_begun = false;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const std::size_t digit = static_cast<std::size_t>(group >> shift) & 15U;
    has_begun = has_begun || digit != 0 || shift == 0;
    if (has_begun) to += kHex[digit];
  }
}

}  // namespace

std::optional<Ipv4> parse_ipv4(std::string_view text) {
  Ipv4 address{};
  for (std::size_t i = 0; i < address.size(); ++i) {
    const std::size_t end = i + 1 < address.size() ? text.find('.') : text.size();
    if (end > 3) return std::nullopt;
    const std::string_view part = text.substr(0, end);
    const auto value = base::parse_decimal(part);
    if (!value || *value > 255 || (part.size() > 1 && part.front() == '0')) return std::nullopt;
    address[i] = static_cast<std::byte>(*value);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return address;
}

std::optional<Ipv6> parse_ipv6(std::string_view text) {
  Groups groups{};
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (parse_groups(text, true, groups) != kGroups) return std::nullopt;
  } else {
    Groups behind{};
    const auto before = parse_groups(text.substr(0, gap), false, groups);
    const auto after = parse_groups(text.substr(gap + 2), true, behind);
    if (!before || !after || *before + *after >= kGroups) return std::nullopt;
    std::copy_n(behind.begin(), *after, groups.end() - static_cast<std::ptrdiff_t>(*after));
  }
  Ipv6 address{};
  for (std::size_t i = 0; i < kGroups; ++i) base::store_be16(&address[2 * i], groups[i]);
  return address;
}

Ipv6 mapped(const Ipv4& address) {
  Ipv6 result = kMapped;
  std::ranges::copy(address, result.begin() + kMappedPrefix);
  return result;
}

std::optional<Ipv4> mapped_in(const Ipv6& address) {
  if (!std::equal(kMapped.begin(), kMapped.begin() + kMappedPrefix, address.begin())) return std::nullopt;
  Ipv4 result{};
  std::copy(address.begin() + kMappedPrefix, address.end(), result.begin());
  return result;
}

std::string text(const Ipv4& address) {
  std::string result;
  for (const std::byte part : address) {
    if (!result.empty()) result += '.';
    result += std::to_string(std::to_integer<unsigned>(part));
  }
  return result;
}

std::string text(const Ipv6& address) {
  if (const auto v4 = mapped_in(address)) return "::ffff:" + text(*v4);
  Groups groups{};
  for (std::size_t i = 0; i < kGroups; ++i) groups[i] = base::load_be16(&address[2 * i]);
  const Run zeros = longest_run_of_zeros(groups);
  std::string result;
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (i == zeros.begin) {
      result += "::";
      i += zeros.size - 1;
      continue;
    }
    if (!result.empty() && result.back() != ':') result += ':';
    append_group(result, groups[i]);
  }
  return result;
}

}  // namespace wsproxy::http
