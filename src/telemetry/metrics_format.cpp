#include "telemetry/metrics_format.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/ascii.hpp"

namespace wsproxy::telemetry {
namespace {

/// One of the two that we have, as a media range is held against it.
struct Offer {
  std::string_view type;
  std::string_view subtype;
  std::string_view version;
};

constexpr Offer kPrometheusText{"text", "plain", "0.0.4"};
constexpr Offer kOpenMetrics{"application", "openmetrics-text", "1.0.0"};

/// In thousandths, as a qvalue has at most three decimals.
constexpr unsigned kFullQuality = 1000;

/// What an Accept header says of an offer by the range that fits it best.
struct Opinion {
  unsigned quality = 0;
  int closeness = 0;  // of that range; 0 when none fits
};

constexpr int kAnyType = 1;
constexpr int kAnySubtype = 2;
constexpr int kNamed = 3;  // and one more for each parameter that fits

/// Takes what stands before the next `separator` that no quoted string holds off the front.
std::string_view take_until(std::string_view& text, char separator) {
  bool is_quoted = false;
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    const char c = text[end];
    if (c == '"') is_quoted = !is_quoted;
    if (c == '\\' && is_quoted) ++end;
    if (c == separator && !is_quoted) break;
  }
  end = std::min(end, text.size());
  const std::string_view taken = base::trim(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

/// RFC 9110 section 12.4.2: 0 or 1 and up to three decimals, those of 1 zeros.
std::optional<unsigned> parse_quality(std::string_view text) {
  constexpr std::size_t kLongest = 5;
  if (text.empty() || text.size() > kLongest || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  unsigned quality = text[0] == '1' ? kFullQuality : 0;
  unsigned digit_counts = kFullQuality / 10;
  for (const char c : text.substr(std::min<std::size_t>(text.size(), 2))) {
    if (!base::is_digit(c)) return std::nullopt;
    quality += static_cast<unsigned>(c - '0') * digit_counts;
    digit_counts /= 10;
  }
  if (quality > kFullQuality) return std::nullopt;
  return quality;
}

/// Without its quotes. A value of ours has no character that would be escaped.
std::string_view unquoted(std::string_view value) {
  if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
    value = value.substr(1, value.size() - 2);
  }
  return value;
}

int closeness_of_type(std::string_view range, const Offer& offer) {
  const auto slash = range.find('/');
  if (slash == std::string_view::npos) return 0;
  const auto type = range.substr(0, slash);
  const auto subtype = range.substr(slash + 1);
  if (subtype == "*") {
    if (type == "*") return kAnyType;
    return base::iequals(type, offer.type) ? kAnySubtype : 0;
  }
  return base::iequals(type, offer.type) && base::iequals(subtype, offer.subtype) ? kNamed : 0;
}

/// What one element of the list says of an offer; closeness 0 when it is about something else or malformed.
Opinion opinion_of(std::string_view element, const Offer& offer) {
  Opinion opinion{kFullQuality, closeness_of_type(take_until(element, ';'), offer)};
  while (opinion.closeness > 0 && !element.empty()) {
    std::string_view value = take_until(element, ';');
    const std::string_view name = take_until(value, '=');
    value = unquoted(value);
    if (base::iequals(name, "q")) {
      const auto quality = parse_quality(value);
      if (!quality) return {};
      opinion.quality = *quality;
    } else if (base::iequals(name, "version")) {
      if (value != offer.version) return {};
      ++opinion.closeness;
    } else if (base::iequals(name, "charset")) {
      if (!base::iequals(value, "utf-8")) return {};
      ++opinion.closeness;
    }
  }
  return opinion;
}

Opinion judge(std::string_view accept, const Offer& offer) {
  Opinion best;
  while (!accept.empty()) {
    const Opinion one = opinion_of(take_until(accept, ','), offer);
    if (one.closeness > best.closeness) best = one;
  }
  return best;
}

}  // namespace

MetricsFormat format_for(std::string_view accept) {
  const Opinion open_metrics = judge(accept, kOpenMetrics);
  const Opinion text = judge(accept, kPrometheusText);
  const bool is_named = open_metrics.closeness >= kNamed && open_metrics.quality > 0;
  const bool is_wanted =
      open_metrics.quality > text.quality || (is_named && open_metrics.quality == text.quality);
  return is_wanted ? MetricsFormat::open_metrics : MetricsFormat::prometheus_text;
}

std::string_view content_type_of(MetricsFormat format) {
  return format == MetricsFormat::open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                               : "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace wsproxy::telemetry
