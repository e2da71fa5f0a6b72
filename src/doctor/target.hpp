#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace wsproxy::doctor {

/// Whom to examine, and how.
struct Target {
  bool secure = false;  // wss://
  std::string host;     // without brackets
  std::string port;
  std::string authority;  // for the Host header
  std::string path = "/";
  std::vector<std::pair<std::string, std::string>> headers;  // more for each request, e.g. a token
  std::chrono::milliseconds patience{5000};                  // how long an answer may take
};

}  // namespace wsproxy::doctor
