#pragma once

#include <string>
#include <string_view>

#include "http/field.hpp"

namespace wsproxy::http {

/// Writes a head line by line. Whatever the strings hold, a line stays one line: a field that could
/// not have come out of a head is left out, and so is a control character of the first line.
class HeadWriter {
 public:
  HeadWriter& first_line(std::string_view line);
  HeadWriter& field(std::string_view name, std::string_view value);
  /// The head with its blank line.
  std::string finish() &&;

 private:
  std::string text_;
};

/// Whether a field ends at this hop (RFC 9110 section 7.6.1): one of the well-known ones, or named by
/// a Connection line. What makes a handshake a handshake (Host, Sec-WebSocket-*) cannot be named away.
class HopByHop {
 public:
  explicit HopByHop(const Fields& fields) : connection_(fields.joined("connection")) {}
  bool covers(std::string_view name) const;

 private:
  std::string connection_;
};

}  // namespace wsproxy::http
