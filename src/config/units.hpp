#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "config/parsed.hpp"

namespace wsproxy::config {

/// A whole number with ms, s, m or h; only 0 may go without.
Parsed<Duration> parse_duration(std::string_view text);
/// In the largest unit that holds it exactly.
std::string duration_text(Duration duration);
/// A regular expression (ECMA 262) for the JSON Schema: matches every way to write a duration in these
/// bounds, and of others only those with as many digits as one in them.
std::string duration_pattern(Duration least, Duration most);

/// A whole number of bytes, or one with B KiB MiB GiB (powers of 1024) or KB MB GB (powers of 1000).
Parsed<std::uint64_t> parse_size(std::string_view text);
/// In the largest power of 1024 that holds it exactly.
std::string size_text(std::uint64_t bytes);
std::string size_pattern(std::uint64_t least, std::uint64_t most);

}  // namespace wsproxy::config
