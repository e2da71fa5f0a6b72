#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>

#include "telemetry/log_line.hpp"
#include "telemetry/repetition.hpp"

namespace wsproxy::telemetry {

enum class LogFormat : std::uint8_t { automatic, text, json };

struct LogOptions {
  Level level = Level::info;
  LogFormat format = LogFormat::automatic;          // text when stderr is a terminal, else JSON
  std::function<void(std::string_view line)> sink;  // instead of stderr; called on the log's thread
  std::function<std::chrono::system_clock::time_point()> clock;  // instead of the system's
  std::size_t queue_lines = 4096;                                // about 450 bytes each
  RepetitionLimits repetition = {};
  std::function<std::chrono::steady_clock::time_point()> steady_clock =
      {};  // of repetition; instead of the system's
  /// Gets each line at level error, on the thread that writes it; must not block.
  std::function<void(const LogLine&)> on_error = {};
};

/// Structured log lines, written by a thread of its own. Writing a line never waits for the sink:
/// when the queue is full its oldest line is dropped, and a line "log lines dropped" says how many
/// were, at most once a second. Lines that say the same again and again are written so many times only
/// (Repetition); the last of a window says how many were left out in `repeated`. May be used from any thread;
/// must outlive its users.
class Log {
 public:
  explicit Log(LogOptions options);
  /// Writes what is queued. A stderr that nobody reads is given up after a second.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(Level level, std::string_view message, std::span<const LogField> fields);
  void write(Level level, std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(level, message, std::span{fields.begin(), fields.size()});
  }

  /// Lines given up since the queue was full.
  std::uint64_t dropped() const;

  bool enabled(Level level) const { return level <= level_.load(std::memory_order_relaxed); }
  Level level() const { return level_.load(std::memory_order_relaxed); }
  /// For what is written from now on, by any thread; others see it a moment later.
  void set_level(Level level) { level_.store(level, std::memory_order_relaxed); }

  /// Tells what was left out of windows that are over, which otherwise waits for the next limited line. To be
  /// called every second or so.
  void keep_house();

 private:
  class Backend;
  std::atomic<Level> level_;
  std::unique_ptr<Backend> backend_;
};

}  // namespace wsproxy::telemetry
