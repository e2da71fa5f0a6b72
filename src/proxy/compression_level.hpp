#pragma once

#include <cstdint>

#include "config/config.hpp"
#include "deflate/governor.hpp"

namespace wsproxy::proxy {

/// The highest of the levels that may be lowered while the CPU is short; 1 when none may.
std::uint8_t highest_adaptive_level(const config::Config& config);

/// The lowest level that is in force anywhere under this governor; that of `compression` when it is off
/// everywhere.
std::uint8_t lowest_level(const config::Config& config, const deflate::Governor& governor);

}  // namespace wsproxy::proxy
