#include "http/head_writer.hpp"

#include <algorithm>
#include <array>

#include "base/ascii.hpp"
#include "http/line.hpp"

namespace wsproxy::http {
namespace {

bool is_control(char c) {
  const auto code = static_cast<unsigned char>(c);
  return code < 0x20 || code == 0x7f;
}

bool is_field_value(std::string_view value) {
  return line_length(value) == value.size();
}

bool is_one_of(std::string_view name, const auto& names) {
  return std::any_of(names.begin(), names.end(), [name](auto one) { return base::iequals(one, name); });
}

bool is_for_everyone(std::string_view name) {
  constexpr std::array<std::string_view, 3> kPrefixes = {"content-", "sec-", "x-forwarded-"};
  constexpr std::array<std::string_view, 13> kNames = {
      "host",      "authorization", "cookie",    "set-cookie",   "cache-control", "expect",    "max-forwards",
      "forwarded", "origin",        "x-real-ip", "x-request-id", "traceparent",   "tracestate"};
  const auto begins_name = [name](auto prefix) {
    return base::iequals(name.substr(0, prefix.size()), prefix);
  };
  return is_one_of(name, kNames) || std::any_of(kPrefixes.begin(), kPrefixes.end(), begins_name);
}

bool is_before(std::string_view a, std::string_view b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return base::to_lower(x) < base::to_lower(y); });
}

}  // namespace

HeadWriter& HeadWriter::first_line(std::string_view line) {
  std::copy_if(line.begin(), line.end(), std::back_inserter(text_), [](char c) { return !is_control(c); });
  text_ += "\r\n";
  return *this;
}

HeadWriter& HeadWriter::field(std::string_view name, std::string_view value) {
  if (!base::is_token(name) || !is_field_value(value)) return *this;
  text_.append(name).append(value.empty() ? ":" : ": ").append(value).append("\r\n");
  return *this;
}

std::string HeadWriter::finish() && {
  text_ += "\r\n";
  return std::move(text_);
}

HopByHop::HopByHop(const Fields& fields) {
  for (const Field& field : fields.all()) {
    if (!base::iequals(field.name, "connection")) continue;
    std::string_view list = field.value;
    while (!list.empty()) {
      const std::size_t comma = std::min(list.find(','), list.size());
      named_.push_back(base::trim(list.substr(0, comma)));
      list.remove_prefix(std::min(comma + 1, list.size()));
    }
  }
  std::sort(named_.begin(), named_.end(), is_before);
}

bool HopByHop::covers(std::string_view name) const {
  constexpr std::array<std::string_view, 7> kWellKnown = {
      "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"};
  if (is_one_of(name, kWellKnown)) return true;
  return std::binary_search(named_.begin(), named_.end(), name, is_before) && !is_for_everyone(name);
}

}  // namespace wsproxy::http
