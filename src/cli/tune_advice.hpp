#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "cli/tune_rules.hpp"

namespace wsproxy::cli {

// What the rules from trials and those from use have in common.
inline constexpr double kFewestMessages = 1000;
inline constexpr double kNotWorthIt = 0.95;  // bytes out a byte in
inline constexpr double kMostBusy = 0.6;     // of the workers' CPU
inline constexpr std::size_t kShortReach = 4 * 1024;

/// Indices of telemetry::kBypassNames.
enum Reason : std::uint8_t { too_small, incompressible, stream, no_gain };

std::string percent(double share);

/// A recommendation that comes about rule by rule. The figures outlive it.
class Advice {
 public:
  explicit Advice(const Figures& of) : figures(of) {}

  void set(const char* key, std::string value, std::string why) {
    result.settings.push_back({key, std::move(value), std::move(why)});
  }
  template <typename... Values>
  void note(fmt::format_string<Values...> text, Values&&... values) {
    result.notes.push_back(fmt::format(text, std::forward<Values>(values)...));
  }
  double per_second(double total) const { return figures.seconds > 0 ? total / figures.seconds : 0; }
  /// Of `messages` to clients that take compression some look random, and of those that were tried some did
  /// not shrink.
  struct Bypassed {
    double messages = 0;
    double random = 0;
    double tried = 0;
    double without_gain = 0;
  };
  void look_at(const Bypassed& bypassed);

  const Figures& figures;
  Recommendation result;
};

/// From what mode: observe has found out.
Recommendation recommend_from_trials(const Figures& figures);
/// From what is compressed now.
Recommendation recommend_from_use(const Figures& figures);

}  // namespace wsproxy::cli
