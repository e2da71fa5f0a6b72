#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace wsproxy::test {

/// The fuzzer's bytes, taken from the front; zeros when they are used up.
class Choices {
 public:
  explicit Choices(std::string_view bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    const std::string_view one = take(1);
    return one.empty() ? 0 : static_cast<std::uint8_t>(one.front());
  }
  std::size_t two_bytes() { return byte() * 256U + byte(); }
  std::string_view take(std::size_t size) {
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view bytes_;
};

inline void append_utf8(std::uint32_t point, std::string& to) {
  const auto put = [&to](std::uint32_t bits) { to += static_cast<char>(bits); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xC0U | point >> 6U);
  } else {
    if (point < 0x10000) {
      put(0xE0U | point >> 12U);
    } else {
      put(0xF0U | point >> 18U);
      put(0x80U | (point >> 12U & 0x3FU));
    }
    put(0x80U | (point >> 6U & 0x3FU));
  }
  put(0x80U | (point & 0x3FU));
}

/// Any bytes as valid text: ASCII stays, the others become characters of two to four bytes, the first and
/// last of each length among them.
inline std::string as_utf8(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const std::uint32_t byte = static_cast<unsigned char>(c);
    const std::uint32_t low = byte & 0x1FU;
    if (byte < 0x80) {
      append_utf8(byte, text);
    } else if (byte < 0xA0) {
      append_utf8(low < 16 ? 0x80 + low : 0x7FF - (low - 16), text);
    } else if (byte < 0xC0) {
      append_utf8(low < 8    ? 0x800 + low
                  : low < 16 ? 0xD7FF - low
                  : low < 24 ? 0xE000 + low
                             : 0xFFFF - (low - 24),
                  text);
    } else {
      append_utf8(low < 16 ? 0x10000 + low : 0x10FFFF - (low - 16), text);
    }
  }
  return text;
}

/// A payload of at most `most` bytes, small ones literally the fuzzer's and large ones grown from a few of
/// its bytes: repeated, random, or of words that come again now and then.
inline std::string choose_payload(Choices& choices, bool is_text, std::size_t most) {
  const std::uint8_t kind = choices.byte();
  const auto unit = [is_text](std::string_view bytes) {
    return is_text ? as_utf8(bytes) : std::string{bytes};
  };
  std::string payload;
  if ((kind & 3U) == 0) {
    payload = unit(choices.take(choices.byte()));
  } else {
    const std::size_t size = choices.two_bytes();
    // Mostly small ones, for the number of runs.
    const std::array sizes{
        size % 100, size % 300, size % 300, size % 600, size % 600, size % 5000, 65536 - 8 + size % 16,
        size * 3};
    const std::size_t wanted = std::min(sizes[kind >> 2U & 7U], most);
    const std::string pattern = unit(choices.take(1U + (kind >> 5U) * 2U)) + "\n";
    std::uint32_t dice = static_cast<std::uint32_t>(size) + 1;
    while (payload.size() < wanted) {
      dice = dice * 1664525U + 1013904223U;
      const char random[] = {static_cast<char>(dice >> 24U), static_cast<char>(dice >> 16U)};
      if ((kind & 3U) == 1) payload += pattern;
      if ((kind & 3U) == 2) payload += unit({random, 2});
      if ((kind & 3U) == 3) payload += (dice >> 29U) < 6 ? pattern : unit({random, 1});
    }
    most = wanted;
  }
  if (payload.size() <= most) return payload;
  // Not inside a character: what begins with a byte 10xxxxxx goes on with the one before.
  std::size_t end = most;
  while (is_text && end > 0 && (static_cast<unsigned char>(payload[end]) & 0xC0U) == 0x80) --end;
  payload.resize(end);
  payload.append(is_text ? most - end : 0, 'x');
  return payload;
}

}  // namespace wsproxy::test
