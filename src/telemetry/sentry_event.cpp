#include "telemetry/sentry_event.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace wsproxy::telemetry {
namespace {

constexpr std::array<std::string_view, 12> kAllowed{"build_id", "certificate", "count",    "errno",
                                                    "file",     "key",         "limit",    "listener",
                                                    "problem",  "reason",      "upstream", "worker"};

/// https://user:password@host/path becomes https://host/path.
std::string without_users(std::string_view text) {
  std::string out;
  for (;;) {
    const auto authority = text.find("://");
    if (authority == std::string_view::npos) return out.append(text);
    out.append(text.substr(0, authority + 3));
    text.remove_prefix(authority + 3);
    const auto at = text.substr(0, text.find_first_of("/?# \"'")).rfind('@');
    if (at != std::string_view::npos) text.remove_prefix(at + 1);
  }
}

std::string cleaned(std::string_view text) {
  std::string clean = without_users(text);
  if (clean.size() <= kMaxLogValueBytes) return clean;
  return std::string{base::cut_between_characters(clean, kMaxLogValueBytes)} + "...";
}

struct Owned {
  SentryValue operator()(std::string_view text) const { return cleaned(text); }
  template <typename Number>
  SentryValue operator()(Number number) const {
    return number;
  }
};

/// FNV-1a: names a report, and guards against nobody.
std::uint64_t hash(std::string_view text, std::uint64_t start) {
  std::uint64_t value = start;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return value;
}

}  // namespace

bool goes_to_sentry(std::string_view field) {
  return std::ranges::find(kAllowed, field) != kAllowed.end();
}

SentryEvent sentry_event(const LogLine& line) {
  SentryEvent event;
  event.time = line.time;
  event.message = cleaned(line.message);
  for (const LogField& field : line.fields) {
    if (goes_to_sentry(field.key)) event.fields.emplace_back(field.key, std::visit(Owned{}, field.value));
  }
  return event;
}

SentryEvent sentry_event(CrashReport report, std::string_view text) {
  SentryEvent event;
  event.id = fmt::format("{:016x}{:016x}", hash(text, 0xcbf29ce484222325U), hash(text, 0x84222325cbf29ce4U));
  event.message = "crashed with " + report.signal;
  event.crash = std::move(report);
  return event;
}

}  // namespace wsproxy::telemetry
