#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"

namespace wsproxy::config {

/// A key whose value two configurations do not agree on. Texts as in the dump; `(none)` where there is no
/// such key, `(hidden)` for a secret.
struct Change {
  std::string key;  // such as listeners[0].address
  std::string before;
  std::string after;
  bool operator==(const Change&) const = default;
};

/// In the order of the keys; those of lists by their place in them. What a route takes from above, before and
/// after, is told there only.
std::vector<Change> difference(const Config& before, const Config& after);

/// Whether a change of this key has no effect before the process starts anew.
bool needs_restart(const std::string& key);

}  // namespace wsproxy::config
