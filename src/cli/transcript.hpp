#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace wsproxy::cli {

/// What `connect` prints, line by line; each result ends in a line end.

/// "< " before each line of a head; lines end in CRLF, the blank line is left out.
std::string head_lines(std::string_view head);
/// A binary message as its size and the hex of its first bytes.
std::string binary_line(base::Bytes message);
/// "closed: 1000 reason"; code 0 is a close frame without a code, which is 1005.
std::string closed_line(std::uint16_t code, std::string_view reason);

}  // namespace wsproxy::cli
