#include "telemetry/sentry_limits.hpp"

#include <algorithm>
#include <optional>

#include "base/ascii.hpp"

namespace wsproxy::telemetry {
namespace {

using std::chrono::seconds;

constexpr unsigned kTooManyRequests = 429;
constexpr seconds kUsual{60};
constexpr seconds kMost{std::chrono::hours{24}};

/// Cuts the part before the next `separator` off the front, without spaces around it.
std::string_view take(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  const auto begin = part.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return part.substr(begin, part.find_last_not_of(" \t") - begin + 1);
}

std::optional<seconds> parse_seconds(std::string_view text) {
  text = text.substr(0, text.find('.'));  // some servers send fractions
  const auto number = base::parse_decimal(text);
  if (!number) return std::nullopt;
  return seconds{std::min<std::uint64_t>(*number, static_cast<std::uint64_t>(kMost.count()))};
}

bool is_about_errors(std::string_view categories) {
  if (categories.empty()) return true;  // all
  while (!categories.empty()) {
    const std::string_view one = take(categories, ';');
    if (one == "error" || one == "default") return true;
  }
  return false;
}

}  // namespace

seconds sentry_silence(unsigned status, std::string_view limits, std::string_view retry_after) {
  std::optional<seconds> most;
  const bool has_limits = !limits.empty();
  while (!limits.empty()) {
    std::string_view limit = take(limits, ',');
    const auto time = parse_seconds(take(limit, ':'));
    if (time && is_about_errors(take(limit, ':'))) most = std::max(most.value_or(seconds{0}), *time);
  }
  if (most) return *most;
  if (status != kTooManyRequests) return seconds{0};
  // Limits that are all about something else, and yet this was refused.
  const auto after = has_limits ? std::nullopt : parse_seconds(retry_after);
  return after.value_or(kUsual);
}

}  // namespace wsproxy::telemetry
