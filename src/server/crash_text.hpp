#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wsproxy::server {

/// A line of JSON made by a signal handler: no memory is taken, no lock, and a text that has no room is left
/// out. It fits into one write to a pipe (PIPE_BUF), so no other line gets between.
class CrashText {
 public:
  static constexpr std::size_t kRoom = 4096;

  /// As it is.
  void put(std::string_view text) {
    if (text.size() > left()) return;
    for (const char c : text) buffer_[size_++] = c;
  }
  /// For names: what could end a string of JSON, or is not printable, becomes an underscore.
  void name(std::string_view text) {
    if (text.size() > left()) return;
    for (const char c : text) buffer_[size_++] = c < ' ' || c > '~' || c == '"' || c == '\\' ? '_' : c;
  }
  void decimal(std::integral auto number) { put_number(number, 10); }
  void hexadecimal(std::uint64_t number) {
    put("0x");
    put_number(number, 16);
  }

  std::size_t left() const { return buffer_.size() - size_; }
  std::string_view text() const { return {buffer_.data(), size_}; }

 private:
  void put_number(std::integral auto number, int base) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
    put({digits.data(), static_cast<std::size_t>(end.ptr - digits.data())});
  }

  std::array<char, kRoom> buffer_{};
  std::size_t size_ = 0;
};

}  // namespace wsproxy::server
