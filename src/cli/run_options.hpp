#pragma once

#include <vector>

#include "cli/run.hpp"
#include "config/config.hpp"
#include "config/errors.hpp"

namespace wsproxy::cli {

/// Puts what was given by option or environment over the config. What is wrong afterwards, all at once.
std::vector<config::Error> apply_options(const RunOptions& options, config::Config& config);

}  // namespace wsproxy::cli
