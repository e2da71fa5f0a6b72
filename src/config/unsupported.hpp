#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"

namespace wsproxy::config {

/// What a build may lack.
struct Build {
  bool has_isal = false;
};

/// What is switched on but comes in a later release, each as `listeners[0].tls: not supported yet`, or is
/// not in this build. Nothing may start with these: a setting is never silently ignored.
std::vector<std::string> unsupported_features(const Config& config, Build build);

}  // namespace wsproxy::config
