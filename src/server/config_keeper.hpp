#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/difference.hpp"
#include "config/yaml_reader.hpp"
#include "server/file_watch.hpp"
#include "server/reload_count.hpp"
#include "telemetry/log.hpp"

namespace wsproxy::server {

/// Where the configuration comes from, to read it again.
struct ConfigSource {
  std::string file;  // empty: from the command line and the environment alone
  std::function<config::ReadResult()>
      read;  // what the command line says is on top of it, all of it is judged
};

/// The configuration in force: reads it again whenever its file changes, and tells what is different. One
/// that is wrong changes nothing. On the main thread, but for current().
class ConfigKeeper {
 public:
  using ConfigPtr = std::shared_ptr<const config::Config>;
  /// Puts the next one into force; what it throws, with one line for the operator, means that it could not
  /// be.
  using Apply = std::function<void(const ConfigPtr& next)>;

  ConfigKeeper(net::IoContext& io, ConfigPtr first, ConfigSource source, telemetry::Log& log,
               ReloadCount& count);

  void start(Apply apply);
  void stop() { watch_.stop(); }
  /// Reads the file again, changed or not.
  void reload();
  bool has_file() const { return !source_.file.empty(); }

  /// From any thread.
  ConfigPtr current() const;

 private:
  bool read_differs() const;
  void refuse(std::string_view reason);
  void tell(const std::vector<config::Change>& changes) const;

  ConfigSource source_;
  telemetry::Log& log_;
  ReloadCount& count_;
  FileWatch watch_;
  Apply apply_;
  bool was_refused_ = false;  // the last one, while it was put into force
  mutable std::mutex mutex_;  // of the next one
  ConfigPtr current_;
};

/// The next configuration with what cannot change any more as it is.
config::Config with_fixed(config::Config next, const config::Config& current);

}  // namespace wsproxy::server
