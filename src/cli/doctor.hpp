#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace wsproxy::cli {

struct DoctorOptions {
  std::string url;
  bool deep = false;
  bool as_json = false;
  std::vector<std::string> only;                             // ids of checks, or groups; empty: all
  std::vector<std::pair<std::string, std::string>> headers;  // more for each request
  std::chrono::milliseconds patience{5000};                  // for one answer
};

/// Examines a WebSocket server and prints its scorecard. Exit codes: 0 all passed, 1 something failed or the
/// server cannot be reached, 2 that is no URL of a WebSocket server, 3 nothing worse than warnings.
int doctor(const DoctorOptions& options);

}  // namespace wsproxy::cli
