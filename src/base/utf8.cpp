#include "base/utf8.hpp"

namespace wsproxy::base {
namespace {

constexpr Character kInvalid{0, 0};

unsigned octet(char c) {
  return static_cast<unsigned char>(c);
}

bool is_continuation(char c) {
  return (octet(c) & 0xC0U) == 0x80U;
}

}  // namespace

Character first_character(std::string_view text) {
  const unsigned lead = octet(text[0]);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xC2 || lead > 0xF4) return kInvalid;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < length) return kInvalid;
  char32_t code_point = lead & (0x7FU >> length);
  for (const char c : text.substr(1, length - 1)) {
    if (!is_continuation(c)) return kInvalid;
    code_point = (code_point << 6) | (octet(c) & 0x3FU);
  }
  const bool is_overlong = (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  const bool is_surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (is_overlong || is_surrogate || code_point > 0x10FFFF) return kInvalid;
  return {code_point, length};
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = first_character(text).length;
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string_view cut_between_characters(std::string_view text, std::size_t most_bytes) {
  constexpr std::size_t kMostContinuations = 3;
  if (text.size() <= most_bytes) return text;
  std::size_t end = most_bytes;
  while (end > 0 && most_bytes - end < kMostContinuations && is_continuation(text[end])) --end;
  return text.substr(0, end);
}

}  // namespace wsproxy::base
