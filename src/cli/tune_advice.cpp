#include "cli/tune_advice.hpp"

#include <algorithm>

#include "config/units.hpp"

namespace wsproxy::cli {
namespace {

constexpr double kManyWithoutGain = 0.2;  // of the messages that were tried
constexpr double kManyRaw = 0.5;
constexpr std::uint64_t kMostMinSize = 256;

}  // namespace

std::string percent(double share) {
  return fmt::format("{:.1f} %", share * 100);
}

void Advice::look_at(const Bypassed& bypassed) {
  const std::uint64_t least = figures.in_force.min_size;
  const double mean = figures.payload_bytes / std::max(1.0, figures.messages);
  const double in_vain = bypassed.without_gain / std::max(1.0, bypassed.tried);
  if (in_vain > kManyWithoutGain && least < kMostMinSize && mean < 512) {
    const std::uint64_t next = least < 64 ? 64 : std::min(kMostMinSize, least * 2);
    set("min_size", config::size_text(next),
        fmt::format("{} of what was tried did not shrink: too short to gain", percent(in_vain)));
  }
  const double random = bypassed.random / std::max(1.0, bypassed.messages);
  if (random > kManyRaw) {
    note(
        "{} of the messages look encrypted or compressed already; `enabled: false` for their route saves the "
        "look",
        percent(random));
  }
}

}  // namespace wsproxy::cli
