#include "server/config_keeper.hpp"

#include <filesystem>
#include <utility>

#include <system_error>

namespace wsproxy::server {

using telemetry::Level;

namespace {

std::vector<std::string> files_of(const ConfigSource& source) {
  return source.file.empty() ? std::vector<std::string>{} : std::vector<std::string>{source.file};
}

}  // namespace

config::Config with_fixed(config::Config next, const config::Config& current) {
  next.workers = current.workers;
  next.admin.address = current.admin.address;
  next.log.format = current.log.format;
  next.sentry = current.sentry;
  next.compression.memory = current.compression.memory;
  for (config::Route& route : next.routes) route.compression.memory = current.compression.memory;
  return next;
}

ConfigKeeper::ConfigKeeper(net::IoContext& io, ConfigPtr first, ConfigSource source, telemetry::Log& log,
                           ReloadCount& count)
    : source_(std::move(source)),
      log_(log),
      count_(count),
      watch_(io, files_of(source_), [this] { reload(); }),
      current_(std::move(first)) {
  if (!watch_.watch()) {
    log_.write(Level::warning, "no inotify left: changes of the configuration are seen within a minute");
  }
}

void ConfigKeeper::start(Apply apply) {
  apply_ = std::move(apply);
  watch_.start();
  // It may have changed between the first reading and the watch.
  if (has_file() && read_differs()) reload();
}

bool ConfigKeeper::read_differs() const {
  const config::ReadResult read = source_.read();
  return !read.errors.empty() || read.config != *current_;
}

void ConfigKeeper::reload() {
  // To a writer that truncates first the defaults would be a surprise.
  std::error_code unknown;
  if (std::filesystem::file_size(source_.file, unknown) == 0 && !unknown) {
    refuse("it is empty; {} is the defaults");
    count_.add(false);
    return;
  }
  config::ReadResult read = source_.read();
  if (!read.errors.empty()) {
    for (const config::Error& error : read.errors) refuse(error.text());
    count_.add(false);
    return;
  }
  const std::vector<config::Change> changes = config::difference(*current_, read.config);
  auto next = std::make_shared<const config::Config>(with_fixed(std::move(read.config), *current_));
  try {
    // A refused one may have left something undone, as a listener that could not be opened again.
    if (was_refused_ || *next != *current_) apply_(next);
    was_refused_ = false;
  } catch (const std::exception& error) {
    was_refused_ = true;
    refuse(error.what());
    count_.add(false);
    return;
  }
  {
    const std::lock_guard lock{mutex_};
    current_ = std::move(next);
  }
  count_.add(true);
  tell(changes);
}

void ConfigKeeper::refuse(std::string_view reason) {
  log_.write(Level::error, "new configuration refused: the one before stays in force",
             {{"file", source_.file}, {"reason", reason}});
}

void ConfigKeeper::tell(const std::vector<config::Change>& changes) const {
  for (const config::Change& change : changes) {
    const bool is_late = config::needs_restart(change.key);
    log_.write(is_late ? Level::warning : Level::info,
               is_late ? "configuration changed: needs a restart" : "configuration changed",
               {{"key", change.key}, {"before", change.before}, {"after", change.after}});
  }
  log_.write(Level::info, "configuration reloaded",
             {{"file", source_.file}, {"changes", std::uint64_t{changes.size()}}});
}

ConfigKeeper::ConfigPtr ConfigKeeper::current() const {
  const std::lock_guard lock{mutex_};
  return current_;
}

}  // namespace wsproxy::server
