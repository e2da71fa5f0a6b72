#pragma once

#include <memory>
#include <string>

#include "telemetry/log.hpp"

namespace wsproxy::test {

/// A log whose lines are kept, for what writes to it. It is to be made before that and to outlive it.
class KeptLog {
 public:
  explicit KeptLog(telemetry::LogFormat format = telemetry::LogFormat::text)
      : log_(std::make_unique<telemetry::Log>(telemetry::LogOptions{
            .format = format,
            .sink = [this](std::string_view line) { lines_ += std::string{line} + "\n"; },
            .clock = {}})) {}
  KeptLog(const KeptLog&) = delete;
  KeptLog& operator=(const KeptLog&) = delete;

  /// Not after lines().
  telemetry::Log& log() { return *log_; }
  /// All that was written; ends the log.
  const std::string& lines() {
    log_.reset();
    return lines_;
  }

 private:
  std::string lines_;
  std::unique_ptr<telemetry::Log> log_;
};

}  // namespace wsproxy::test
