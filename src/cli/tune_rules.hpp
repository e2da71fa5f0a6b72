#pragma once

#include <string>
#include <vector>

#include "cli/tune_figures.hpp"

namespace wsproxy::cli {

/// One key of `compression` that should be another than it is.
struct Setting {
  std::string key;
  std::string value;  // as in YAML
  std::string why;
};

/// What it comes to per second with these settings, at the traffic that was measured.
struct Expectation {
  double saved_bytes = 0;
  double saved_share = 0;   // of the payload to clients, 0 to 1
  double cpu_cores = 0;     // for compressing
  double memory_bytes = 0;  // at the present number of connections
  double seconds_per_gb() const { return saved_bytes > 0 ? cpu_cores / saved_bytes * 1e9 : 0; }
};

struct Recommendation {
  bool is_enough = false;         // traffic to tell anything
  bool was_observed = false;      // the expectation comes from trials, not from what is done now
  std::vector<Setting> settings;  // only what differs from what is in force
  std::vector<std::string> notes;
  Expectation expected;
};

/// The rules; docs/tune.md has them in words.
Recommendation recommend(const Figures& figures);

}  // namespace wsproxy::cli
