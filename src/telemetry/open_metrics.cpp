#include "telemetry/open_metrics.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace wsproxy::telemetry {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::string_view kTotal = "_total";

template <typename... Format>
std::string digits_of(double value, Format... format) {
  constexpr std::size_t kLongest = 32;
  std::array<char, kLongest> text{};
  char* const end = text.data() + text.size();
  return {text.data(), std::to_chars(text.data(), end, value, format...).ptr};
}

/// As Go and so every other exporter writes it: the shortest digits, an exponent from 1e+06 up and from
/// 1e-05 down, else with a point.
std::string canonical(double value) {
  constexpr double kFirstWithExponent = 1e6;
  constexpr double kLastWithout = 1e-4;
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (std::isnan(value)) return "NaN";
  const double size = std::fabs(value);
  if (size >= kFirstWithExponent || (size != 0 && size < kLastWithout)) {
    return digits_of(value, std::chars_format::scientific);
  }
  std::string text = digits_of(value, std::chars_format::fixed);
  if (text.find('.') == std::string::npos) text += ".0";
  return text;
}

/// A count as the whole number that it is.
std::string number(double value) {
  constexpr double kWholeUntil = 9007199254740992;  // 2^53
  if (std::trunc(value) == value && std::fabs(value) < kWholeUntil) {
    return digits_of(value, std::chars_format::fixed);
  }
  return canonical(value);
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
}

/// `bound` is a bucket's label `le`; none when empty.
void append_sample(std::string& out, std::string_view name, const std::vector<ClientMetric::Label>& labels,
                   std::string_view value, std::string_view bound = {}) {
  out += name;
  char before = '{';
  const auto append_label = [&](std::string_view label, std::string_view text) {
    out += before;
    out += label;
    out += "=\"";
    append_escaped(out, text);
    out += '"';
    before = ',';
  };
  for (const ClientMetric::Label& label : labels) append_label(label.name, label.value);
  if (!bound.empty()) append_label("le", bound);
  if (before == ',') out += '}';
  out += ' ';
  out += value;
  out += '\n';
}

void append_histogram(std::string& out, const std::string& name, const ClientMetric& metric) {
  const auto& histogram = metric.histogram;
  const std::string count = std::to_string(histogram.sample_count);
  for (const auto& bucket : histogram.bucket) {
    append_sample(out, name + "_bucket", metric.label, std::to_string(bucket.cumulative_count),
                  canonical(bucket.upper_bound));
  }
  append_sample(out, name + "_bucket", metric.label, count, "+Inf");
  append_sample(out, name + "_count", metric.label, count);
  append_sample(out, name + "_sum", metric.label, number(histogram.sample_sum));
}

std::string_view word_of(MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Histogram:
      return "histogram";
    case MetricType::Summary:
    case MetricType::Untyped:
      break;
  }
  return "unknown";
}

void append_descriptor(std::string& out, std::string_view kind, std::string_view family,
                       std::string_view text) {
  out += "# ";
  out += kind;
  out += ' ';
  out += family;
  out += ' ';
  append_escaped(out, text);
  out += '\n';
}

void append_family(std::string& out, const MetricFamily& family) {
  std::string_view name = family.name;
  if (family.type == MetricType::Counter && name.ends_with(kTotal)) name.remove_suffix(kTotal.size());
  append_descriptor(out, "TYPE", name, word_of(family.type));
  for (const std::string_view unit : {"seconds", "bytes"}) {
    if (name.ends_with(unit)) append_descriptor(out, "UNIT", name, unit);
  }
  append_descriptor(out, "HELP", name, family.help);
  for (const ClientMetric& metric : family.metric) {
    if (family.type == MetricType::Histogram) {
      append_histogram(out, family.name, metric);
    } else {
      const bool is_counter = family.type == MetricType::Counter;
      append_sample(out, family.name, metric.label,
                    number(is_counter ? metric.counter.value : metric.gauge.value));
    }
  }
}

}  // namespace

std::string write_open_metrics(const std::vector<MetricFamily>& families) {
  std::string text;
  for (const MetricFamily& family : families) append_family(text, family);
  text += "# EOF\n";
  return text;
}

}  // namespace wsproxy::telemetry
