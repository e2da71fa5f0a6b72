#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/environment.hpp"
#include "config/errors.hpp"

namespace wsproxy::config {

/// The config is only to be used when there are no errors.
struct ReadResult {
  Config config;
  std::vector<Error> errors;  // all there are, in the file's order
};

/// What else must hold of a config that is right by itself, such as the files that it names. Its errors
/// have keys; where in the file those stand is added to them.
using FurtherCheck = std::function<std::vector<Error>(const Config&)>;

/// Reads a config; `file_name` is for the errors. An empty text is the default config. Never throws.
ReadResult read_config(std::string_view yaml, const std::string& file_name, const Environment& environment,
                       const FurtherCheck& further = {});

/// The same from a file. One that cannot be read is an error without a position.
ReadResult load_config(const std::string& path, const Environment& environment,
                       const FurtherCheck& further = {});

/// Reads back what dump() has made, here or in another process; a secret that it hides has its default.
ReadResult read_dump(std::string_view yaml, const std::string& name);

}  // namespace wsproxy::config
