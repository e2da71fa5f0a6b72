#pragma once

#include <cstddef>
#include <string>

#include "config/parsed.hpp"

namespace wsproxy::config {

/// The whole file, or why it cannot be read.
Parsed<std::string> read_file(const std::string& path, std::size_t most_bytes);

}  // namespace wsproxy::config
