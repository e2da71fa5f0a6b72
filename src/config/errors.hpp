#pragma once

#include <string>

namespace wsproxy::config {

/// What is wrong with one value, for the operator. A line of 0 is no position; an empty file or key is
/// left out of the text.
struct Error {
  std::string file;
  int line = 0;
  int column = 0;
  std::string key;
  std::string problem;

  /// FILE:LINE:COLUMN: KEY: what is wrong, what is allowed
  std::string text() const;
  bool operator==(const Error&) const = default;
};

}  // namespace wsproxy::config
