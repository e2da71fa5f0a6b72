#pragma once

#include <cstddef>
#include <string_view>

/// For texts at hand; what streams by is checked by websocket/utf8.
namespace wsproxy::base {

struct Character {
  char32_t code_point;
  std::size_t length;  // in bytes; 0: not UTF-8
};

/// What a text that is not empty begins with (RFC 3629: shortest form, no surrogates).
Character first_character(std::string_view text);

bool is_utf8(std::string_view text);

/// At most `most_bytes` of the text, not ending inside a character. What is not UTF-8 loses at most
/// three bytes more.
std::string_view cut_between_characters(std::string_view text, std::size_t most_bytes);

}  // namespace wsproxy::base
