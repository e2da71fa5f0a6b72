#pragma once

#include <map>
#include <memory>
#include <string>

#include "config/config.hpp"
#include "server/crash_directory.hpp"
#include "server/crash_handler.hpp"
#include "server/error_reporter.hpp"
#include "telemetry/log.hpp"
#include "telemetry/sentry_queue.hpp"

namespace wsproxy::server {

/// What becomes of errors and crashes: errors of the log go to Sentry when there is a DSN; a crash is written
/// down, and told at the next start. On the main thread, ahead of all others.
class Reporting {
 public:
  /// Logs what crashes left. `errors` is what the log hands its errors to; it and the log outlive this.
  /// Throws nothing: a proxy that cannot report serves all the same.
  Reporting(const config::Sentry& config, telemetry::SentryQueue& errors, telemetry::Log& log,
            const std::string& version);
  /// Waits for reports on their way, for ErrorReporter::kPatienceAtEnd at most.
  ~Reporting();
  Reporting(const Reporting&) = delete;
  Reporting& operator=(const Reporting&) = delete;

 private:
  void watch_for_crashes(const config::Sentry& config, const std::string& version);
  void begin_to_report(const config::Sentry& config, const std::string& version);
  void tell_crashes();
  void tell(const std::string& name, const std::string& text, telemetry::CrashReport report);
  void on_sent(const std::string& event_id);

  telemetry::SentryQueue& errors_;
  telemetry::Log& log_;
  CrashStack stack_;
  CrashDirectory crashes_;
  std::vector<telemetry::SentryEvent> crash_events_;
  std::map<std::string, std::string> files_;  // by the event's id; the reporter's once that runs
  std::unique_ptr<ErrorReporter> reporter_;
};

}  // namespace wsproxy::server
