#include "telemetry/log_line.hpp"

#include <array>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "telemetry/escape.hpp"
#include "telemetry/utc_time.hpp"

namespace wsproxy::telemetry {
namespace {

constexpr std::size_t kUsualLineBytes = 640;

// By Level; the text ones are as wide as each other where that is possible.
constexpr std::array<const char*, 4> kTextLevels{"error", "warn ", "info ", "debug"};
// By Level: red, yellow, green, blue.
constexpr std::array<const char*, 4> kLevelColours{"\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[34m"};
constexpr const char* kDim = "\x1b[2m";
constexpr const char* kPlain = "\x1b[0m";

void append_time(std::string& out, std::chrono::system_clock::time_point time) {
  const auto text = utc_text(time);
  out.append(text.data(), text.size());
}

/// Calls `append` with the text, or with as much of it as a line may hold.
template <typename Append>
void append_limited(std::string& out, std::string_view text, Append append) {
  if (text.size() <= kMaxLogValueBytes) {
    append(out, text);
    return;
  }
  append(out, std::string{base::cut_between_characters(text, kMaxLogValueBytes)} + "...");
}

struct ValueWriter {
  std::string& out;
  void (*append_string)(std::string&, std::string_view);

  void operator()(std::string_view text) const { append_limited(out, text, append_string); }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(double value) const {
    if (std::isfinite(value)) {
      fmt::format_to(std::back_inserter(out), "{}", value);
    } else {
      out += "null";
    }
  }
  template <std::integral T>
  void operator()(T value) const {
    const fmt::format_int digits(value);
    out.append(digits.data(), digits.size());
  }
};

std::size_t index(Level level) {
  return static_cast<std::size_t>(level);
}

}  // namespace

Colour colour_for(bool is_terminal, const char* no_color, const char* term) {
  const bool is_unwanted = no_color != nullptr && *no_color != '\0';
  const bool is_dumb = term != nullptr && std::string_view{term} == "dumb";
  return is_terminal && !is_unwanted && !is_dumb ? Colour::terminal : Colour::none;
}

std::string text_line(const LogLine& line, Colour colour) {
  const auto paint = [colour](std::string& text, const char* code) {
    if (colour == Colour::terminal) text += code;
  };
  std::string out;
  out.reserve(kUsualLineBytes);
  append_time(out, line.time);
  out += ' ';
  paint(out, kLevelColours[index(line.level)]);
  out += kTextLevels[index(line.level)];
  paint(out, kPlain);
  out += ' ';
  append_escaped(out, line.message, Escaping::unquoted);
  for (const auto& field : line.fields) {
    out += ' ';
    paint(out, kDim);
    out += field.key;
    out += '=';
    paint(out, kPlain);
    std::visit(ValueWriter{out, append_text_value}, field.value);
  }
  return out;
}

std::string json_line(const LogLine& line) {
  std::string out;
  out.reserve(kUsualLineBytes);
  out += R"({"time":")";
  append_time(out, line.time);
  out += R"(","level":")";
  out += name_of(line.level);
  out += R"(","message":)";
  append_json_string(out, line.message);
  for (const auto& field : line.fields) {
    out += ',';
    append_json_string(out, field.key);
    out += ':';
    std::visit(ValueWriter{out, append_json_string}, field.value);
  }
  out += '}';
  return out;
}

}  // namespace wsproxy::telemetry
