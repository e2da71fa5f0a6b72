#pragma once

#include <string>
#include <string_view>

namespace wsproxy::doctor {

enum class Status : unsigned char { pass, skip, warn, fail };  // the worse, the later

/// The beginning of what a server may have made as long as it likes.
std::string shortened(std::string text, std::size_t most);

/// What one check found.
struct Finding {
  Status status = Status::pass;
  std::string detail{};  // what was seen; empty when there is nothing to say

  static constexpr std::size_t kMostOfCase = 200;  // bytes of detail
  static constexpr std::size_t kMostInAll = 1000;

  /// Takes in what one of several cases showed: the worst counts, and all that is not well is told.
  void add(std::string_view what, const Finding& other);
};

inline Finding passed(std::string detail = {}) {
  return {Status::pass, shortened(std::move(detail), Finding::kMostOfCase)};
}
inline Finding warned(std::string detail) {
  return {Status::warn, shortened(std::move(detail), Finding::kMostOfCase)};
}
inline Finding failed(std::string detail) {
  return {Status::fail, shortened(std::move(detail), Finding::kMostOfCase)};
}
inline Finding skipped(std::string detail) {
  return {Status::skip, shortened(std::move(detail), Finding::kMostOfCase)};
}

}  // namespace wsproxy::doctor
