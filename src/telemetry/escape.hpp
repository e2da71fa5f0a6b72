#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Peers choose much of what stands in a log line. After this no text of theirs can end a line or a
/// string, drive a terminal, or make a line that a JSON reader refuses.
namespace wsproxy::telemetry {

enum class Escaping : std::uint8_t {
  json,     // inside a JSON string; what is not UTF-8 becomes U+FFFD
  quoted,   // inside the quotes of a text value; what is not UTF-8 becomes \xNN
  unquoted  // a text message: as `quoted`, but quotes and backslashes stay
};

void append_escaped(std::string& out, std::string_view text, Escaping escaping);

/// With its quotes.
void append_json_string(std::string& out, std::string_view text);

/// As it is if it is one plain word, else quoted.
void append_text_value(std::string& out, std::string_view text);

}  // namespace wsproxy::telemetry
