#pragma once

#include <string>
#include <string_view>

namespace wsproxy::doctor {

enum class Status : unsigned char { pass, skip, warn, fail };  // the worse, the later

/// What one check found.
struct Finding {
  Status status = Status::pass;
  std::string detail{};  // what was seen; empty when there is nothing to say

  /// Takes in what one of several cases showed: the worst counts, and all that is not well is told.
  void add(std::string_view what, const Finding& other);
};

inline Finding passed(std::string detail = {}) {
  return {Status::pass, std::move(detail)};
}
inline Finding warned(std::string detail) {
  return {Status::warn, std::move(detail)};
}
inline Finding failed(std::string detail) {
  return {Status::fail, std::move(detail)};
}
inline Finding skipped(std::string detail) {
  return {Status::skip, std::move(detail)};
}

}  // namespace wsproxy::doctor
