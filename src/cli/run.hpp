#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace wsproxy::cli {

/// What was given by option or environment for `run`; options win over the environment, both over
/// the file, the file over the defaults.
struct RunOptions {
  std::optional<std::string> config_file;
  std::optional<std::string> host;
  std::optional<std::uint16_t> port;
  std::optional<std::string> remote_url;
  std::optional<std::string> admin;
  bool sentry = false;
  std::optional<std::string> sentry_url;
  std::optional<std::string> environment;
  int verbosity = 0;  // -v info, -vv debug
};

/// Runs the proxy until it has drained after SIGTERM or SIGINT.
int run(const RunOptions& options);

}  // namespace wsproxy::cli
