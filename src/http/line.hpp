#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace wsproxy::http {

/// What may stand in a line of a head (RFC 9110 section 5.5): all but control characters; tab is none.
inline constexpr std::array<bool, 256> kLineChars = [] {
  std::array<bool, 256> table{};
  for (std::size_t code = 0; code < table.size(); ++code) table[code] = code >= 0x20 && code != 0x7f;
  table['\t'] = true;
  return table;
}();

inline bool is_line_char(char c) {
  return kLineChars[static_cast<unsigned char>(c)];
}

/// How much of the beginning of `text` may stand in a line.
inline std::size_t line_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && is_line_char(text[length])) ++length;
  return length;
}

}  // namespace wsproxy::http
