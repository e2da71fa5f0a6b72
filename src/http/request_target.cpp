#include "http/request_target.hpp"

#include <algorithm>
#include <array>

#include "base/ascii.hpp"

namespace wsproxy::http {
namespace {

/// Visible ASCII without the fragment mark: looser than RFC 3986, since browsers send some characters
/// of a query as they are.
bool is_target_char(char c) {
  return c > 0x20 && c < 0x7f && c != '#';
}

/// RFC 3986 section 3.2.2 without the comma, which would make one Host look like two.
bool is_name_char(char c) {
  return base::is_digit(c) || base::is_letter(c) ||
         std::string_view{"-._~%!$&'()*+;="}.find(c) != std::string_view::npos;
}

bool is_address_char(char c) {
  return base::hex_value(c) || c == ':' || c == '.';
}

/// Where the host of `text` ends and its port begins; npos when the host is not one.
std::size_t host_length(std::string_view text) {
  if (!text.starts_with('[')) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_name_char);
    return end == text.begin() ? std::string_view::npos : static_cast<std::size_t>(end - text.begin());
  }
  const std::size_t close = text.find(']');
  if (close == std::string_view::npos || close < 3) return std::string_view::npos;
  const std::string_view address = text.substr(1, close - 1);
  return std::all_of(address.begin(), address.end(), is_address_char) ? close + 1 : std::string_view::npos;
}

bool is_port(std::string_view text) {
  const auto number = base::parse_decimal(text);
  return text.size() <= 5 && number && *number <= 65535;
}

/// How much of `target` is "scheme://" of a scheme that can reach us; 0 when it has none.
std::size_t scheme_length(std::string_view target) {
  for (const std::string_view scheme :
       std::array<std::string_view, 4>{"http://", "https://", "ws://", "wss://"}) {
    if (base::iequals(target.substr(0, scheme.size()), scheme)) return scheme.size();
  }
  return 0;
}

}  // namespace

bool is_authority(std::string_view text) {
  const std::size_t host = host_length(text);
  if (host == std::string_view::npos) return false;
  if (host == text.size()) return true;
  // A port may be empty (RFC 3986 section 3.2.3).
  return text[host] == ':' && (host + 1 == text.size() || is_port(text.substr(host + 1)));
}

bool target_suits(std::string_view method, std::string_view target) {
  if (target.empty() || !std::all_of(target.begin(), target.end(), is_target_char)) return false;
  if (method == "CONNECT") {
    const std::size_t colon = target.rfind(':');
    return is_authority(target) && colon != std::string_view::npos && is_port(target.substr(colon + 1));
  }
  if (target == "*") return method == "OPTIONS";
  if (target.starts_with('/')) return true;
  return scheme_length(target) > 0 && is_authority(split_target(target).authority);
}

TargetParts split_target(std::string_view target) {
  const std::size_t scheme = scheme_length(target);
  if (scheme == 0) return {{}, target};
  const std::string_view rest = target.substr(scheme);
  const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
  return {rest.substr(0, path), rest.substr(path)};
}

std::string target_for_app(std::string_view method, std::string_view target, std::string_view base_path) {
  const std::string_view path = split_target(target).path;
  if (path == "*" || (path.empty() && method == "OPTIONS")) return "*";
  if (base_path.ends_with('/')) base_path.remove_suffix(1);
  std::string result{base_path};
  if (!path.starts_with('/')) result += '/';
  return result.append(path);
}

}  // namespace wsproxy::http
