#pragma once

#include <cstdint>
#include <string_view>

namespace wsproxy::telemetry {

enum class MetricsFormat : std::uint8_t {
  prometheus_text,  // 0.0.4: every scraper, and people, read it
  open_metrics      // 1.0.0
};

/// Which one a scraper gets for its Accept header, several lines joined by commas (RFC 9110 section 12.5.1):
/// the one of the higher quality, of equal ones OpenMetrics if it is named. Text 0.0.4 for everything else,
/// an empty or unreadable header included: nobody is refused. `escaping` is heeded by itself, since our names
/// need none.
MetricsFormat format_for(std::string_view accept);

std::string_view content_type_of(MetricsFormat format);

}  // namespace wsproxy::telemetry
