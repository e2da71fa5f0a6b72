#pragma once

#include <string>

#include "config/config.hpp"

namespace wsproxy::config {

/// The config as YAML, every key written out. Reads back as the same config, except for secrets, which
/// are not shown.
std::string dump(const Config& config);

}  // namespace wsproxy::config
