#pragma once

#include <optional>
#include <string>
#include <utility>

namespace wsproxy::config {

/// A value made from text, or what is wrong with the text, worded to follow it: `has no port`.
template <class T>
struct Parsed {
  std::optional<T> value;
  std::string problem;

  Parsed(T good) : value(std::move(good)) {}
  static Parsed wrong(std::string problem) { return Parsed{std::nullopt, std::move(problem)}; }
  explicit operator bool() const { return value.has_value(); }
  const T& operator*() const { return *value; }

 private:
  Parsed(std::nullopt_t, std::string what) : problem(std::move(what)) {}
};

}  // namespace wsproxy::config
