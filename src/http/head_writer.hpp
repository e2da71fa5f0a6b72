#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/field.hpp"

namespace wsproxy::http {

/// Writes a head line by line. Whatever the strings hold, a line stays one line: a field that could
/// not have come out of a head is left out, and so is a control character of the first line.
class HeadWriter {
 public:
  HeadWriter() { text_.reserve(kUsualHead); }
  HeadWriter& first_line(std::string_view line);
  HeadWriter& field(std::string_view name, std::string_view value);
  /// The head with its blank line.
  std::string finish() &&;

 private:
  static constexpr std::size_t kUsualHead = 1024;

  std::string text_;
};

/// Which fields end at this hop (RFC 9110 section 7.6.1): well-known ones, and those that a Connection
/// line names. It may not name what is for everyone on the way: that would be a client's means to take
/// from the app what frames a body, what makes a handshake, or what a proxy ahead of this one has said.
/// Lives no longer than `fields`.
class HopByHop {
 public:
  explicit HopByHop(const Fields& fields);
  bool covers(std::string_view name) const;

 private:
  std::vector<std::string_view> named_;  // sorted whatever their case: both they and the fields may be many
};

}  // namespace wsproxy::http
