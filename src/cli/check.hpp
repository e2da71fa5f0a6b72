#pragma once

#include <string>

namespace wsproxy::cli {

/// Prints the effective config, or every error of the file to stderr. 0 or 1.
int check(const std::string& config_file);

}  // namespace wsproxy::cli
