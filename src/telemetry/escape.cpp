#include "telemetry/escape.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace wsproxy::telemetry {
namespace {

/// Controls (C1 too: terminals obey them), line separators, and what reorders a line when it is shown.
bool is_hidden(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x2069) || c == 0xFEFF;
}

bool is_plain(char c, Escaping escaping) {
  const bool is_printable = c >= 0x20 && c < 0x7F;
  return is_printable && (escaping == Escaping::unquoted || (c != '"' && c != '\\'));
}

void append_ascii_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
  }
}

void append_invalid_byte(std::string& out, char c, Escaping escaping) {
  if (escaping == Escaping::json) {
    out += "\xEF\xBF\xBD";
  } else {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
  }
}

/// One character that is not plain; returns how many bytes it had.
std::size_t append_special(std::string& out, std::string_view text, Escaping escaping) {
  if (static_cast<unsigned char>(text[0]) < 0x80) {
    append_ascii_escape(out, text[0]);
    return 1;
  }
  const auto [code_point, length] = base::first_character(text);
  if (length == 0) {
    append_invalid_byte(out, text[0], escaping);
    return 1;
  }
  if (is_hidden(code_point)) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(code_point));
  } else {
    out += text.substr(0, length);
  }
  return length;
}

}  // namespace

void append_escaped(std::string& out, std::string_view text, Escaping escaping) {
  while (!text.empty()) {
    const auto* const end =
        std::find_if_not(text.begin(), text.end(), [escaping](char c) { return is_plain(c, escaping); });
    const auto plain = static_cast<std::size_t>(end - text.begin());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (!text.empty()) text.remove_prefix(append_special(out, text, escaping));
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text, Escaping::json);
  out += '"';
}

void append_text_value(std::string& out, std::string_view text) {
  const auto needs_no_quotes = [](char c) {
    return c > 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '=';
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), needs_no_quotes)) {
    out += text;
    return;
  }
  out += '"';
  append_escaped(out, text, Escaping::quoted);
  out += '"';
}

}  // namespace wsproxy::telemetry
