#pragma once

#include <string>

#include "cli/tune_rules.hpp"

namespace wsproxy::cli {

/// YAML to be pasted into a config, with the reasons as comments.
std::string tune_yaml(const Figures& figures, const Recommendation& advice);
std::string tune_json(const Figures& figures, const Recommendation& advice);

}  // namespace wsproxy::cli
