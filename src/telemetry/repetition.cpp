#include "telemetry/repetition.hpp"

#include <algorithm>
#include <array>

namespace wsproxy::telemetry {
namespace {

constexpr std::array<std::string_view, 8> kTellingFields{"by",       "file",    "key",    "limit",
                                                         "listener", "problem", "reason", "upstream"};
constexpr std::array<std::string_view, 4> kCausedByPeers{"PROXY protocol header refused", "protocol error",
                                                         "rate limit", "request refused"};

template <std::size_t N>
bool holds(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The value of a field that tells kinds apart, cut; null for all others.
const std::string_view* telling_value(const LogField& field) {
  return holds(kTellingFields, field.key) ? std::get_if<std::string_view>(&field.value) : nullptr;
}

bool is_alike(const LeftOut& kind, Level level, std::string_view message, std::span<const LogField> fields) {
  if (kind.level != level || kind.message != message) return false;
  std::size_t at = 0;
  for (const LogField& field : fields) {
    const std::string_view* value = telling_value(field);
    if (value == nullptr) continue;
    if (at == kind.fields.size() || kind.fields[at].first != field.key) return false;
    if (kind.fields[at].second != value->substr(0, Repetition::kMaxFieldBytes)) return false;
    ++at;
  }
  return at == kind.fields.size();
}

LeftOut described(Level level, std::string_view message, std::span<const LogField> fields) {
  LeftOut kind{level, std::string{message}, {}, 0};
  for (const LogField& field : fields) {
    const std::string_view* value = telling_value(field);
    if (value != nullptr) kind.fields.emplace_back(field.key, value->substr(0, Repetition::kMaxFieldBytes));
  }
  return kind;
}

}  // namespace

bool Repetition::concerns(Level level, std::string_view message) {
  return level <= Level::warning || (level == Level::info && holds(kCausedByPeers, message));
}

bool Repetition::admit(Level level, std::string_view message, std::span<const LogField> fields, Time now) {
  if (limits_.lines == 0 || !concerns(level, message)) return true;
  Kind& kind = kind_of(level, message, fields, now);
  if (kind.written < limits_.lines) {
    ++kind.written;
    return true;
  }
  ++kind.left_out.count;
  return false;
}

Repetition::Kind& Repetition::kind_of(Level level, std::string_view message, std::span<const LogField> fields,
                                      Time now) {
  const auto find = [this](Level wanted, std::string_view text, std::span<const LogField> values) {
    return std::find_if(kinds_.begin(), kinds_.end(),
                        [&](const Kind& kind) { return is_alike(kind.left_out, wanted, text, values); });
  };
  auto found = find(level, message, fields);
  if (found == kinds_.end() && kinds_.size() >= kMaxKinds) {
    level = Level::warning;
    message = kOtherLines;
    fields = {};
    found = find(level, message, fields);
  }
  if (found != kinds_.end()) return *found;
  kinds_.push_back({now + limits_.window, 0, described(level, message, fields)});
  return kinds_.back();
}

std::vector<LeftOut> Repetition::take_ended(Time now) {
  std::vector<LeftOut> ended;
  std::erase_if(kinds_, [&](Kind& kind) {
    if (now < kind.ends) return false;
    if (kind.left_out.count > 0) ended.push_back(std::move(kind.left_out));
    return true;
  });
  return ended;
}

}  // namespace wsproxy::telemetry
