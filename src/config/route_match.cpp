#include "config/route_match.hpp"

#include "base/ascii.hpp"

namespace wsproxy::config {
namespace {

constexpr std::string_view kStar = "*.";

std::string_view without_final_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

bool is_below(std::string_view name, std::string_view dot_and_host) {
  return name.size() > dot_and_host.size() &&
         base::iequals(name.substr(name.size() - dot_and_host.size()), dot_and_host);
}

bool matches_host(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return true;
  if (!pattern.starts_with(kStar)) return base::iequals(pattern, name);
  return is_below(name, pattern.substr(1));
}

bool covers_host(std::string_view wide, std::string_view narrow) {
  if (!narrow.starts_with(kStar)) return matches_host(wide, narrow);
  // The star of the narrow one stands for a label that the wide one's must stand for too.
  return wide.empty() || base::iequals(wide, narrow) ||
         (wide.starts_with(kStar) && is_below(narrow.substr(1), wide.substr(1)));
}

}  // namespace

bool matches(const RouteMatch& match, std::string_view host, std::string_view path) {
  return matches_host(without_final_dot(match.host), without_final_dot(host)) && path.starts_with(match.path);
}

bool covers(const RouteMatch& wide, const RouteMatch& narrow) {
  return covers_host(without_final_dot(wide.host), without_final_dot(narrow.host)) &&
         narrow.path.starts_with(wide.path);
}

}  // namespace wsproxy::config
