#include "server/reporting.hpp"

#include <exception>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace wsproxy::server {

using telemetry::Level;

namespace {

std::string host_name() {
  std::string name(256, '\0');
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  name.resize(name.find('\0'));
  return name;
}

std::string text(const telemetry::CrashFrame& frame) {
  return frame.image == "?" ? frame.image : fmt::format("{}+{:#x}", frame.image, frame.offset);
}

}  // namespace

Reporting::Reporting(const config::Sentry& config, telemetry::SentryQueue& errors, telemetry::Log& log,
                     const std::string& version)
    : errors_(errors), log_(log), crashes_(config.crash_directory) {
  watch_for_crashes(config, version);
  tell_crashes();
  if (config.dsn.empty()) {
    for (const auto& [id, file] : files_) crashes_.remove(file);
  } else {
    begin_to_report(config, version);
  }
}

Reporting::~Reporting() = default;

void Reporting::watch_for_crashes(const config::Sentry& config, const std::string& version) {
  if (!crashes_.problem().empty()) {
    // A container with a file system that is read-only has no such folder, and never meant to.
    const bool is_wanted = crashes_.is_unsafe() || config.crash_directory != config::Sentry{}.crash_directory;
    log_.write(is_wanted ? Level::warning : Level::info, "crashes are told on stderr only",
               {{"key", "sentry.crash_directory"},
                {"file", config.crash_directory},
                {"problem", crashes_.problem()}});
  }
  catch_crashes(version, crashes_.is_open() ? crashes_.number() : -1, CrashDirectory::file_name());
}

void Reporting::tell_crashes() {
  std::vector<std::string> names = crashes_.files();
  while (names.size() > CrashDirectory::kMostKept) {
    crashes_.remove(names.front());
    names.erase(names.begin());
  }
  for (const std::string& name : names) {
    const auto read = crashes_.read(name);
    auto report = read ? telemetry::parse_crash_report(*read) : std::nullopt;
    if (report) {
      tell(name, *read, std::move(*report));
    } else {
      log_.write(Level::warning, "a crash has left what cannot be read", {{"file", name}});
      crashes_.remove(name);
    }
  }
}

void Reporting::tell(const std::string& name, const std::string& text_of_file,
                     telemetry::CrashReport report) {
  std::vector<telemetry::LogField> fields{{"signal", report.signal},
                                          {"time_of_crash", report.time},
                                          {"thread", report.thread},
                                          {"version", report.version},
                                          {"build_id", report.build_id}};
  const std::string at = report.frames.empty() ? "?" : text(report.frames.front());
  fields.emplace_back("at", at);
  if (!report.reason.empty()) fields.emplace_back("reason", report.reason);
  log_.write(Level::error, "wsproxy has crashed before", fields);
  crash_events_.push_back(telemetry::sentry_event(std::move(report), text_of_file));
  files_[crash_events_.back().id] = name;
}

void Reporting::begin_to_report(const config::Sentry& config, const std::string& version) {
  try {
    const auto dsn = config::parse_sentry_dsn(config.dsn);
    if (!dsn) throw std::runtime_error(dsn.problem);
    telemetry::SentrySource source{dsn.value->public_text(), version, telemetry::program_build_id(),
                                   config.environment, host_name()};
    reporter_ = std::make_unique<ErrorReporter>(*dsn, std::move(source), errors_, log_,
                                                [this](const std::string& id) { on_sent(id); });
    for (auto& event : crash_events_) errors_.add(std::move(event), std::chrono::steady_clock::now());
  } catch (const std::exception& error) {
    log_.write(Level::warning, "errors are not reported", {{"key", "sentry.dsn"}, {"problem", error.what()}});
  }
}

void Reporting::on_sent(const std::string& event_id) {
  const auto file = files_.find(event_id);
  if (file != files_.end()) crashes_.remove(file->second);
}

}  // namespace wsproxy::server
