#include "telemetry/level.hpp"

#include <array>

namespace wsproxy::telemetry {
namespace {

constexpr std::array<std::string_view, 4> kNames{"error", "warning", "info", "debug"};  // by Level

}  // namespace

std::string_view name_of(Level level) {
  return kNames[static_cast<std::size_t>(level)];
}

std::optional<Level> level_of(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Level>(i);
  }
  return std::nullopt;
}

Level next_level(Level level) {
  return static_cast<Level>((static_cast<std::size_t>(level) + 1) % kNames.size());
}

}  // namespace wsproxy::telemetry
