#include <algorithm>
#include <cmath>

#include "cli/tune_advice.hpp"
#include "config/units.hpp"

namespace wsproxy::cli {
namespace {

constexpr double kMemoryFull = 0.9;
constexpr double kFewAgreed = 0.1;  // of the messages: too few to judge compression by

class FromUse : public Advice {
 public:
  using Advice::Advice;

  void look();

 private:
  /// What goes to clients that have agreed to compression, compressed or not.
  struct Agreed {
    double messages = 0;
    double payload_bytes = 0;
  };
  Agreed to_those_who_agreed() const;
  void look_at_memory();
  void look_at_cpu();
};

void FromUse::look() {
  result.is_enough = figures.messages >= kFewestMessages && figures.payload_bytes > 0;
  if (!result.is_enough) return;
  const config::Compression& now = figures.in_force;
  if (!now.enabled) {
    set("enabled", "true", "to find out what compression would save");
    set("mode", "observe", "which changes nothing for clients; run tune again after a while");
    return;
  }
  const double saved = figures.input_bytes - figures.output_bytes;
  result.expected = {per_second(saved), saved / figures.payload_bytes, per_second(figures.compress_seconds),
                     figures.memory_bytes};
  const Agreed agreed = to_those_who_agreed();
  if (agreed.messages <= 0) {
    note("no client has agreed to compression: there is nothing to tune");
    return;
  }
  const bool are_few = agreed.messages < figures.messages * kFewAgreed;
  if (are_few) {
    note("only {} of the messages go to clients that have agreed to compression",
         percent(agreed.messages / figures.messages));
  } else if (saved < agreed.payload_bytes * (1 - kNotWorthIt)) {
    set("enabled", "false",
        fmt::format("it saves only {} of the payload of clients that have agreed to it",
                    percent(saved / agreed.payload_bytes)));
    result.expected = {};
    return;
  }
  look_at({.messages = agreed.messages,
           .random = figures.bypassed[incompressible] + figures.bypassed[stream],
           .tried = figures.compressed + figures.bypassed[no_gain],
           .without_gain = figures.bypassed[no_gain]});
  look_at_memory();
  look_at_cpu();
  if (figures.shared > 0.05 * figures.messages) {
    note("{} of the messages took bytes that were compressed for another client",
         percent(figures.shared / figures.messages));
  }
}

/// How much payload was bypassed is not counted: what goes raw to whomever is of that size on average, and
/// what is too small is no larger than that.
FromUse::Agreed FromUse::to_those_who_agreed() const {
  double bypassed = 0;
  for (const double one : figures.bypassed) bypassed += one;
  const double raw_messages = std::max(1.0, figures.messages - figures.compressed);
  const double mean = std::max(0.0, figures.payload_bytes - figures.input_bytes) / raw_messages;
  const double small = std::min(mean, static_cast<double>(figures.in_force.min_size));
  return {figures.compressed + bypassed, figures.input_bytes +
                                             (bypassed - figures.bypassed[too_small]) * mean +
                                             figures.bypassed[too_small] * small};
}

void FromUse::look_at_memory() {
  const config::Compression& now = figures.in_force;
  const double dropped = figures.sacrifices[index(telemetry::Sacrifice::histories_dropped)] +
                         figures.sacrifices[index(telemetry::Sacrifice::takeover_refused)];
  const double freed = figures.sacrifices[index(telemetry::Sacrifice::encoders_freed)];
  const bool is_full = figures.memory_bytes > kMemoryFull * figures.memory_limit_bytes;
  if (dropped <= 0 && !(is_full && freed > 0)) return;
  const auto more = static_cast<std::uint64_t>(std::ceil(static_cast<double>(now.memory) * 2 / (1 << 20)))
                    << 20U;
  const std::string why = dropped > 0 ? "histories were dropped or refused for want of memory"
                                      : "it is nearly full, and encoders are freed for it";
  set("memory", config::size_text(more), why);
  if (!now.history.is_auto && now.history.bytes > kShortReach)
    note("`history: 4KiB` instead of more `memory` costs some of the saving");
  result.expected.memory_bytes = std::min(static_cast<double>(more), figures.memory_bytes * 2);
}

void FromUse::look_at_cpu() {
  const config::Compression& now = figures.in_force;
  if (now.adaptive && figures.level > 0 && figures.level < figures.configured_level) {
    set("level", std::to_string(figures.level),
        fmt::format(
            "the CPU is short: level {} was lowered to it; more CPU or `workers` would be the other way",
            now.level));
    return;
  }
  const double busy = figures.cpu_seconds / figures.workers / std::max(1e-9, figures.seconds);
  const double part = figures.compress_seconds / std::max(1e-9, figures.cpu_seconds);
  if (now.level > 1 && busy > kMostBusy && part > 0.5) {
    set("level", now.level > 6 ? "6" : "1",
        fmt::format("the workers are busy {} of the time, and compressing takes {} of that", percent(busy),
                    percent(part)));
    note("what is saved with another level is not known beforehand: `mode: observe` tells");
  }
}

}  // namespace

Recommendation recommend_from_use(const Figures& figures) {
  FromUse advice{figures};
  advice.look();
  return std::move(advice.result);
}

}  // namespace wsproxy::cli
