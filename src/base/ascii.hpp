#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wsproxy::base {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
/// What a hexadecimal digit of either case counts, 0 to 15.
std::optional<unsigned> hex_value(char c);

/// RFC 9110 section 5.6.2: a character of a token.
bool is_token_char(char c);
/// A token has at least one character.
bool is_token(std::string_view text);

char to_lower(char c);
std::string to_lower(std::string_view text);
bool iequals(std::string_view a, std::string_view b);

/// Without leading and trailing spaces and tabs (OWS, RFC 9110 section 5.6.3).
std::string_view trim(std::string_view text);

/// Only digits, at least one, no sign; nothing when it does not fit. Leading zeros are the caller's to judge.
std::optional<std::uint64_t> parse_decimal(std::string_view digits);

/// Whether a comma-separated list holds `token`, whatever the case (RFC 9110 section 5.6.1).
bool list_has_token(std::string_view list, std::string_view token);

}  // namespace wsproxy::base
