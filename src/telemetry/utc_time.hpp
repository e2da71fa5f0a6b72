#pragma once

#include <array>
#include <chrono>

namespace wsproxy::telemetry {

/// RFC 3339 in UTC with milliseconds: 2026-11-22T12:00:00.123Z. Async-signal-safe: no memory, no locale.
std::array<char, 24> utc_text(std::chrono::system_clock::time_point time);

}  // namespace wsproxy::telemetry
