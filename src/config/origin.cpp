#include "config/origin.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "config/address.hpp"

namespace wsproxy::config {
namespace {

/// RFC 3986 section 3.1.
bool is_scheme(std::string_view text) {
  const auto is_scheme_char = [](char c) {
    return base::is_letter(c) || base::is_digit(c) || c == '+' || c == '-' || c == '.';
  };
  return !text.empty() && base::is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), is_scheme_char);
}

/// What extensions and apps have for a host is no DNS name, so the letters are all that is asked.
bool is_origin_host(std::string_view text) {
  if (text.starts_with('[')) {
    return text.ends_with(']') && text.find(':') != std::string_view::npos &&
           is_host(text.substr(1, text.size() - 2));
  }
  const auto is_host_char = [](char c) {
    return base::is_letter(c) || base::is_digit(c) || c == '-' || c == '_' || c == '.';
  };
  return !text.empty() && text.front() != '.' && text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), is_host_char);
}

std::uint16_t default_port(std::string_view scheme) {
  if (base::iequals(scheme, "https") || base::iequals(scheme, "wss")) return 443;
  if (base::iequals(scheme, "http") || base::iequals(scheme, "ws")) return 80;
  return 0;
}

/// Takes `:port` off the end of an authority. False when it is no port.
bool take_port(std::string_view& authority, std::uint16_t& port) {
  const auto colon = authority.rfind(':');
  const auto bracket = authority.rfind(']');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) return true;
  const auto number = base::parse_decimal(authority.substr(colon + 1));
  if (!number || *number == 0 || *number > 65535) return false;
  port = static_cast<std::uint16_t>(*number);
  authority = authority.substr(0, colon);
  return true;
}

}  // namespace

std::optional<Origin> parse_origin(std::string_view text, bool may_be_pattern) {
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  Origin origin;
  origin.scheme = text.substr(0, scheme_end);
  origin.host = text.substr(scheme_end + 3);
  origin.port = default_port(origin.scheme);
  if (!is_scheme(origin.scheme) || !take_port(origin.host, origin.port)) return std::nullopt;
  origin.is_pattern = may_be_pattern && origin.host.starts_with("*.");
  if (origin.is_pattern) origin.host.remove_prefix(1);
  const std::string_view domain = origin.host.substr(origin.is_pattern ? 1 : 0);
  // Below an address is nothing, so a pattern of one would cover nothing.
  if (!is_origin_host(domain) || (origin.is_pattern && domain.starts_with('['))) return std::nullopt;
  return origin;
}

bool covers(const Origin& allowed, const Origin& origin) {
  if (!base::iequals(allowed.scheme, origin.scheme) || allowed.port != origin.port) return false;
  if (!allowed.is_pattern) return base::iequals(allowed.host, origin.host);
  if (origin.host.size() <= allowed.host.size()) return false;
  return base::iequals(origin.host.substr(origin.host.size() - allowed.host.size()), allowed.host);
}

}  // namespace wsproxy::config
