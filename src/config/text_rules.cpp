#include "config/text_rules.hpp"

#include <string>

#include "base/utf8.hpp"
#include "config/address.hpp"
#include "config/origin.hpp"
#include "config/sentry_dsn.hpp"

namespace wsproxy::config {
namespace {

std::string path_problem(std::string_view path) {
  return path.empty() ? "is empty" : "";
}

std::string host_problem(std::string_view host) {
  return host.empty() || is_host(host) ? "" : "is neither a name nor an IP address";
}

std::string host_pattern_problem(std::string_view pattern) {
  if (pattern.starts_with("*.")) {
    pattern.remove_prefix(2);
    if (pattern.empty()) return "has no name after the star";
  }
  const auto colon = pattern.find(':');
  const bool has_port = colon != std::string_view::npos && pattern.rfind(':') == colon;
  return has_port ? "has a port, which no route looks at" : host_problem(pattern);
}

std::string path_prefix_problem(std::string_view path) {
  if (path.empty()) return {};
  if (!path.starts_with('/')) return "does not begin with a slash";
  return path.find_first_of(" ?#") == std::string_view::npos ? "" : "has a space, a query or a fragment";
}

/// RFC 6454 section 6.2; the star is ours.
std::string origin_problem(std::string_view origin) {
  if (origin == "null" || parse_origin(origin, true)) return {};
  if (origin.find("://") == std::string_view::npos) return "has no scheme";
  return "has more or less than a host and perhaps a port";
}

std::string dsn_problem(std::string_view dsn) {
  return dsn.empty() ? "" : parse_sentry_dsn(dsn).problem;
}

}  // namespace

bool is_printable(std::string_view text) {
  while (!text.empty()) {
    const auto [code_point, length] = base::first_character(text);
    const bool is_control = code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0);
    if (length == 0 || is_control) return false;
    text.remove_prefix(length);
  }
  return true;
}

TextRule any_text_rule() {
  return {"a text", [](std::string_view) { return std::string{}; }};
}
TextRule path_rule() {
  return {"a file", path_problem};
}
TextRule optional_path_rule() {
  return {"a file, or empty", [](std::string_view) { return std::string{}; }};
}
TextRule optional_host_rule() {
  return {"a name or an IP address, or empty", host_problem};
}
TextRule host_pattern_rule() {
  return {"a name or an IP address, or a name that begins with *.", host_pattern_problem};
}
TextRule path_prefix_rule() {
  return {"a path that begins with /", path_prefix_problem};
}
TextRule origin_rule() {
  return {"scheme://host[:port], scheme://*.host[:port] or null", origin_problem};
}
TextRule cidr_rule() {
  return {"a network such as 10.0.0.0/8 or fd00::/8", cidr_problem};
}
TextRule dsn_rule() {
  return {"https://KEY@HOST/PROJECT, or empty", dsn_problem};
}

}  // namespace wsproxy::config
