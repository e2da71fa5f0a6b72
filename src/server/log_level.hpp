#pragma once

#include "config/config.hpp"
#include "telemetry/level.hpp"

namespace wsproxy::server {

/// The configuration knows no log, and the log no configuration.
constexpr telemetry::Level level_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::error:
      return telemetry::Level::error;
    case config::LogLevel::warning:
      return telemetry::Level::warning;
    case config::LogLevel::debug:
      return telemetry::Level::debug;
    case config::LogLevel::info:
      break;
  }
  return telemetry::Level::info;
}

}  // namespace wsproxy::server
