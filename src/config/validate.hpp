#pragma once

#include <vector>

#include "config/config.hpp"
#include "config/errors.hpp"

namespace wsproxy::config {

/// What is wrong between values that are each good alone: addresses used twice, halves of pairs. The
/// errors have a key, no file and no position.
std::vector<Error> validate(const Config& config);

}  // namespace wsproxy::config
