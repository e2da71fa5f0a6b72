#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace wsproxy::telemetry {

/// The most urgent first.
enum class Level : std::uint8_t { error, warning, info, debug };

/// As in JSON lines and in the configuration.
std::string_view name_of(Level level);
/// Nothing for what is no such name; case matters.
std::optional<Level> level_of(std::string_view name);
/// One step more talkative, and from debug back to error.
Level next_level(Level level);

}  // namespace wsproxy::telemetry
