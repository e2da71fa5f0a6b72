#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "telemetry/crash_report.hpp"
#include "telemetry/log_line.hpp"

namespace wsproxy::telemetry {

using SentryValue = std::variant<std::string, std::int64_t, std::uint64_t, double, bool>;

/// What is told to Sentry: an error of the log, or a crash of the process before.
struct SentryEvent {
  std::string id;  // 32 hexadecimal digits
  std::chrono::system_clock::time_point time;
  std::string message;
  std::vector<std::pair<std::string, SentryValue>> fields;
  std::optional<CrashReport> crash;
};

/// Whether a log field may leave the machine. Only those that are known to hold nothing of a client's may: no
/// address, request target, header, name or payload of its. docs/errors.md has the list.
bool goes_to_sentry(std::string_view field);

/// Texts without what stands ahead of the @ in URLs, and cut as those of the log are. Has no id yet.
SentryEvent sentry_event(const LogLine& line);

/// Its id follows from the report, so that one that is sent twice counts once. `text` is what was parsed.
SentryEvent sentry_event(CrashReport report, std::string_view text);

}  // namespace wsproxy::telemetry
