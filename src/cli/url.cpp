#include "cli/url.hpp"

#include "base/ascii.hpp"
#include "http/request_target.hpp"

namespace wsproxy::cli {

std::optional<Url> parse_url(std::string_view text) {
  const http::TargetParts parts = http::split_target(text);
  if (parts.authority.empty() || !http::target_suits("GET", text)) return std::nullopt;
  Url url;
  url.scheme = base::to_lower(text.substr(0, text.find(':')));
  url.authority = parts.authority;
  url.target = parts.path;
  if (url.target.starts_with('?')) url.target.insert(0, "/");

  const std::size_t bracket = url.authority.find(']');
  const std::size_t colon = url.authority.find(':', bracket == std::string::npos ? 0 : bracket);
  const bool is_ipv6 = bracket != std::string::npos;
  url.host = is_ipv6 ? url.authority.substr(1, bracket - 1) : url.authority.substr(0, colon);
  if (colon != std::string::npos) url.port = url.authority.substr(colon + 1);
  if (url.port.empty()) url.port = url.scheme == "wss" || url.scheme == "https" ? "443" : "80";
  return url;
}

}  // namespace wsproxy::cli
