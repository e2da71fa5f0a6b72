#include "config/units.hpp"

#include <limits>
#include <span>

#include <fmt/format.h>

#include "base/ascii.hpp"

namespace wsproxy::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr Unit kTimes[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
constexpr Unit kSizes[] = {{"B", 1},     {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20},  {"GiB", 1ULL << 30},
                           {"KB", 1000}, {"MB", 1'000'000},   {"GB", 1'000'000'000}};
constexpr Unit kBinarySizes[] = {{"B", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}};

struct Quantity {
  std::uint64_t number;
  std::string_view unit;
};

/// Digits, perhaps a space, perhaps a unit.
Parsed<Quantity> split(std::string_view text) {
  auto end = text.find_first_not_of("0123456789");
  if (end == std::string_view::npos) end = text.size();
  if (end == 0) return Parsed<Quantity>::wrong("is not a whole number with a unit");
  const auto number = base::parse_decimal(text.substr(0, end));
  if (!number) return Parsed<Quantity>::wrong("is too large");
  text.remove_prefix(end);
  if (text.starts_with(' ')) text.remove_prefix(1);
  return Quantity{*number, text};
}

Parsed<std::uint64_t> multiply(const Quantity& quantity, std::span<const Unit> units, std::uint64_t most) {
  for (const Unit& unit : units) {
    if (unit.name != quantity.unit) continue;
    if (quantity.number > most / unit.factor) return Parsed<std::uint64_t>::wrong("is too large");
    return quantity.number * unit.factor;
  }
  return Parsed<std::uint64_t>::wrong("has the unknown unit \"" + std::string{quantity.unit} + "\"");
}

/// `units` ascends.
std::string largest_exact(std::uint64_t number, std::span<const Unit> units, std::string_view unit_of_zero) {
  if (number == 0) return "0" + std::string{unit_of_zero};
  std::string text;
  for (const Unit& unit : units) {
    if (number % unit.factor == 0) text = std::to_string(number / unit.factor) + std::string{unit.name};
  }
  return text;
}

/// For the numbers of so many digits as those from least to most.
std::string digits_pattern(std::uint64_t least, std::uint64_t most) {
  if (most == 0) return "0+";
  const std::size_t longest = std::to_string(most).size();
  if (least == 0) return fmt::format("0*[0-9]{{1,{}}}", longest);
  return fmt::format("0*[1-9][0-9]{{{},{}}}", std::to_string(least).size() - 1, longest - 1);
}

/// One alternative a unit that has a whole number in the bounds.
std::string quantity_pattern(std::span<const Unit> units, std::uint64_t least, std::uint64_t most) {
  std::string pattern;
  for (const Unit& unit : units) {
    const std::uint64_t fewest = least / unit.factor + (least % unit.factor != 0 ? 1 : 0);
    if (fewest > most / unit.factor) continue;
    if (!pattern.empty()) pattern += '|';
    pattern += digits_pattern(fewest, most / unit.factor) + " ?" + std::string{unit.name};
  }
  return pattern;
}

}  // namespace

Parsed<Duration> parse_duration(std::string_view text) {
  const auto quantity = split(text);
  if (!quantity) return Parsed<Duration>::wrong(quantity.problem);
  if (quantity.value->unit.empty()) {
    if (quantity.value->number == 0) return Duration{0};
    return Parsed<Duration>::wrong("has no unit");
  }
  const auto count = multiply(*quantity, kTimes, std::numeric_limits<Duration::rep>::max());
  if (!count) return Parsed<Duration>::wrong(count.problem);
  return Duration{static_cast<Duration::rep>(*count)};
}

std::string duration_text(Duration duration) {
  return largest_exact(static_cast<std::uint64_t>(duration.count()), kTimes, "s");
}

std::string duration_pattern(Duration least, Duration most) {
  return "^(" + std::string{least.count() == 0 ? "0+|" : ""} +
         quantity_pattern(kTimes, static_cast<std::uint64_t>(least.count()),
                          static_cast<std::uint64_t>(most.count())) +
         ")$";
}

Parsed<std::uint64_t> parse_size(std::string_view text) {
  const auto quantity = split(text);
  if (!quantity) return Parsed<std::uint64_t>::wrong(quantity.problem);
  if (quantity.value->unit.empty()) return quantity.value->number;
  return multiply(*quantity, kSizes, std::numeric_limits<std::uint64_t>::max());
}

std::string size_text(std::uint64_t bytes) {
  return largest_exact(bytes, kBinarySizes, "");
}

std::string size_pattern(std::uint64_t least, std::uint64_t most) {
  return "^(" + digits_pattern(least, most) + " ?|" + quantity_pattern(kSizes, least, most) + ")$";
}

}  // namespace wsproxy::config
