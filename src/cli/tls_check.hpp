#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/errors.hpp"

namespace wsproxy::cli {

/// Reads the files of a configuration's TLS, and says what is wrong with them.
struct TlsCheck {
  std::vector<config::Error> errors;  // cannot be used, or not any more
  std::vector<std::string> warnings;  // can be used, but should be otherwise
};

TlsCheck check_tls(const config::Config& config);

/// Only what keeps the proxy from starting.
std::vector<config::Error> broken_tls(const config::Config& config);

}  // namespace wsproxy::cli
