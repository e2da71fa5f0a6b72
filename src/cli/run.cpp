#include "cli/run.hpp"

#include <csignal>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <unistd.h>

#include <sys/resource.h>

#include "cli/run_options.hpp"
#include "cli/tls_check.hpp"
#include "config/environment.hpp"
#include "config/unsupported.hpp"
#include "config/yaml_reader.hpp"
#include "deflate/method.hpp"
#include "server/log_level.hpp"
#include "server/reporting.hpp"
#include "server/server.hpp"
#include "telemetry/sentry_queue.hpp"

namespace wsproxy::cli {

namespace {

telemetry::LogOptions log_options(const config::Log& log) {
  telemetry::LogOptions options;
  options.level = server::level_of(log.level);
  switch (log.format) {
    case config::LogFormat::automatic:
      options.format = telemetry::LogFormat::automatic;
      break;
    case config::LogFormat::text:
      options.format = telemetry::LogFormat::text;
      break;
    case config::LogFormat::json:
      options.format = telemetry::LogFormat::json;
      break;
  }
  return options;
}

/// What an error leaves for Sentry; a line of the log never fails for it.
void hand_over(telemetry::SentryQueue& errors, const telemetry::LogLine& line) {
  try {
    errors.add(telemetry::sentry_event(line), std::chrono::steady_clock::now());
  } catch (const std::exception&) {
    errors.count_dropped(1);
  }
}

/// Else a connection gets the number of a stderr that is closed, and with it the lines of the log.
void fill_closed_standard_descriptors() {
  int opened = 0;
  while (opened >= 0 && opened <= STDERR_FILENO) opened = ::open("/dev/null", O_RDWR);
  if (opened > STDERR_FILENO) ::close(opened);
}

/// Each connection takes two descriptors; the soft limit is often 1024 by tradition only.
void raise_descriptor_limit(std::uint32_t max_connections, telemetry::Log& log) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const std::uint64_t needed = std::uint64_t{max_connections} * 2 + 64;
  if (limit.rlim_max < needed) {
    log.write(telemetry::Level::warning, "the limit of open files is below limits.max_connections",
              {{"open_files", std::uint64_t{limit.rlim_max}}, {"needed", needed}});
  }
}

/// The file, if there is one, with what the options say on top of it.
config::ReadResult read_configuration(const RunOptions& options) {
  config::ReadResult read;
  if (options.config_file) {
    read = config::load_config(*options.config_file, config::process_environment(), broken_tls);
  }
  // Of a file with errors it would tell those between values again, and compare defaults with the rest.
  if (read.errors.empty()) read.errors = apply_options(options, read.config);
  if (!read.errors.empty()) return read;
  for (std::string& feature : config::unsupported_features(read.config, {deflate::has_isal()})) {
    read.errors.push_back({"", 0, 0, "", std::move(feature)});
  }
  return read;
}

}  // namespace

int run(const RunOptions& options) {
  fill_closed_standard_descriptors();
  config::ReadResult read = read_configuration(options);
  for (const config::Error& error : read.errors) std::fprintf(stderr, "%s\n", error.text().c_str());
  if (!read.errors.empty()) return 1;

  std::signal(SIGPIPE, SIG_IGN);
  const auto config = std::make_shared<const config::Config>(std::move(read.config));
  telemetry::SentryQueue reports;
  telemetry::LogOptions for_log = log_options(config->log);
  for_log.on_error = [&reports](const telemetry::LogLine& line) { hand_over(reports, line); };
  telemetry::Log log(std::move(for_log));
  const server::Reporting reporting(config->sentry, reports, log, WSPROXY_VERSION);
  try {
    raise_descriptor_limit(config->limits.max_connections, log);
    server::Server server(
        config, {options.config_file.value_or(""), [&options] { return read_configuration(options); }}, log,
        WSPROXY_VERSION);
    server.run();
  } catch (const std::exception& error) {
    log.write(telemetry::Level::error, "wsproxy cannot run", {{"reason", error.what()}});
    return 1;
  }
  return 0;
}

}  // namespace wsproxy::cli
