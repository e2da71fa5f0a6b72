#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "telemetry/level.hpp"

namespace wsproxy::telemetry {

using LogValue = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

/// A key and a value of any number type, bool, or text, which is borrowed until the line is written.
/// Keys are ours: literals in snake_case.
struct LogField {
  template <typename T>
  LogField(std::string_view name, const T& from) : key(name), value(to_value(from)) {}

  std::string_view key;
  LogValue value;

 private:
  template <typename T>
  static LogValue to_value(const T& from) {
    if constexpr (std::same_as<T, bool>) {
      return from;
    } else if constexpr (std::signed_integral<T>) {
      return std::int64_t{from};
    } else if constexpr (std::unsigned_integral<T>) {
      return std::uint64_t{from};
    } else if constexpr (std::floating_point<T>) {
      return double{from};
    } else {
      return std::string_view{from};
    }
  }
};

/// Longer values are cut here and end in "...": container runtimes split lines at 16 KiB.
inline constexpr std::size_t kMaxLogValueBytes = 1024;

struct LogLine {
  std::chrono::system_clock::time_point time;
  Level level;
  std::string_view message;
  std::span<const LogField> fields;
};

/// Of a text line: the level by its urgency and keys dim, for terminals (ECMA-48).
enum class Colour : std::uint8_t { none, terminal };

/// By https://no-color.org and TERM; null: not set.
Colour colour_for(bool is_terminal, const char* no_color, const char* term);

/// Without a line break at the end. Numbers that JSON has no name for (NaN) are null.
std::string text_line(const LogLine& line, Colour colour = Colour::none);
std::string json_line(const LogLine& line);

}  // namespace wsproxy::telemetry
