#include "cli/tune_rules.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "config/units.hpp"

namespace wsproxy::cli {
namespace {

using telemetry::nearest_trial;

constexpr double kFewestMessages = 1000;
constexpr std::uint64_t kFewestTried = 30;  // of each trial

constexpr double kNotWorthIt = 0.95;      // bytes out a byte in
constexpr double kManyWithoutGain = 0.2;  // of the messages that were tried
constexpr double kManyRaw = 0.5;
constexpr double kReachGain = 0.04;       // of the bytes that remain
constexpr double kBytesPerKilobyte = 1;   // and so many a message for each KB more that a connection keeps
constexpr double kLevelGain = 0.03;       // of the bytes that remain
constexpr double kDearestGigabyte = 400;  // CPU seconds for each GB that a slower level saves on top
constexpr double kMostBusy = 0.6;         // of the workers' CPU, with a slower level
constexpr double kMemoryFull = 0.9;
constexpr double kStandingEncoders = 128;  // a worker
constexpr double kEncoderBytes = 168 * 1024;
constexpr std::uint64_t kMostMinSize = 256;
constexpr std::size_t kLongReach = 32 * 1024;
constexpr std::size_t kShortReach = 4 * 1024;

enum Reason : std::uint8_t { too_small, incompressible, stream, no_gain };

std::string percent(double share) {
  return fmt::format("{:.1f} %", share * 100);
}

bool encoders_stand(const Figures& figures) {
  return figures.connections <= kStandingEncoders * figures.workers;
}

/// How far back messages refer in effect. An encoder that stands refers to all that its window has.
std::size_t reach_in_effect(const Figures& figures, const config::Compression& settings) {
  if (!settings.context_takeover || settings.history.bytes == 0) return 0;
  if (encoders_stand(figures) || (settings.history.is_auto && settings.level > 3)) {
    return std::min<std::size_t>(kLongReach, std::size_t{1} << settings.window_bits);
  }
  return settings.history.is_auto ? kShortReach : settings.history.bytes;
}

double memory_for(const Figures& figures, std::size_t reach, const config::Compression& settings) {
  const double received = settings.client_context_takeover ? std::exp2(settings.client_window_bits) : 0;
  const double encoders = std::min({figures.connections, kStandingEncoders * figures.workers,
                                    static_cast<double>(settings.memory) / 4 / kEncoderBytes});
  return figures.connections * (static_cast<double>(reach) + received) + encoders * kEncoderBytes;
}

double ratio(const telemetry::TrialCounters& trial) {
  return static_cast<double>(trial.output_bytes) /
         static_cast<double>(std::max<std::uint64_t>(1, trial.input_bytes));
}

class Advice {
 public:
  explicit Advice(const Figures& figures) : figures_(figures) {}

  Recommendation take() {
    if (figures_.observed.seen_messages > 0) {
      from_trials();
    } else {
      from_use();
    }
    return std::move(advice_);
  }

 private:
  void set(const char* key, std::string value, std::string why) {
    advice_.settings.push_back({key, std::move(value), std::move(why)});
  }
  template <typename... Values>
  void note(fmt::format_string<Values...> text, Values&&... values) {
    advice_.notes.push_back(fmt::format(text, std::forward<Values>(values)...));
  }
  const telemetry::TrialCounters& trial(std::uint8_t level, std::size_t reach) const {
    return figures_.observed.trials.at(nearest_trial(level, reach));
  }
  double per_second(double total) const { return figures_.seconds > 0 ? total / figures_.seconds : 0; }

  // ---- from trials
  void from_trials();
  std::size_t choose_reach();
  std::uint8_t choose_level(std::size_t reach);
  bool is_slower_worth_it(const telemetry::TrialCounters& fast, const telemetry::TrialCounters& slow) const;
  void expect_trial(std::uint8_t level, std::size_t reach);

  // ---- from what is compressed now
  void from_use();
  void look_at_memory();
  void look_at_cpu();

  void look_at_bypassed(double without_gain, double random, double tried);

  const Figures& figures_;
  Recommendation advice_;
};

void Advice::from_trials() {
  const auto& observed = figures_.observed;
  advice_.was_observed = true;
  const bool were_all_tried = std::ranges::all_of(
      observed.trials, [](const auto& one) { return one.messages >= kFewestTried && one.input_bytes > 0; });
  advice_.is_enough = were_all_tried && static_cast<double>(observed.seen_messages) >= kFewestMessages;
  if (!advice_.is_enough) return;

  const double best = ratio(*std::ranges::min_element(observed.trials, {}, ratio));
  if (best > kNotWorthIt) {
    set("enabled", "false", fmt::format("even the best trial saves only {}", percent(1 - best)));
    return;
  }
  set("mode", "compress", fmt::format("trials saved up to {}", percent(1 - best)));
  const std::size_t reach = choose_reach();
  const std::uint8_t level = choose_level(reach);
  double tried = 0;
  for (const auto& one : observed.trials) tried += static_cast<double>(one.messages);
  look_at_bypassed(static_cast<double>(observed.bypassed[no_gain]),
                   static_cast<double>(observed.bypassed[incompressible] + observed.bypassed[stream]), tried);
  const double broadcast =
      static_cast<double>(observed.broadcasts) / static_cast<double>(observed.seen_messages);
  if (broadcast > 0.05) {
    note(
        "{} of the messages are broadcasts, which are compressed once a worker: the CPU above counts them so",
        percent(broadcast));
  }
  expect_trial(level, reach);
}

std::size_t Advice::choose_reach() {
  const config::Compression& now = figures_.in_force;
  if (!now.context_takeover || now.history.bytes == 0) {
    const double gain = 1 - ratio(trial(6, kLongReach)) / ratio(trial(6, 0));
    if (gain >= kReachGain) {
      note(
          "messages that refer to earlier ones would save {} of what remains (context_takeover, history); "
          "tune does not switch that on, see `Secrets` in docs/compression.md",
          percent(gain));
    }
    return 0;
  }
  const auto& none = trial(6, 0);
  const auto& shorter = trial(6, kShortReach);
  const auto& longer = trial(6, kLongReach);
  const double mean = static_cast<double>(figures_.observed.seen_bytes) /
                      static_cast<double>(figures_.observed.seen_messages);
  const double best_gain = 1 - std::min(ratio(shorter), ratio(longer)) / ratio(none);
  if (best_gain < kReachGain / 2) {
    set("history", "0",
        fmt::format("referring to earlier messages saves {} of what remains", percent(best_gain)));
    return 0;
  }
  const double gain = 1 - ratio(longer) / ratio(shorter);
  const double bytes_a_message = (ratio(shorter) - ratio(longer)) * mean;
  const double more_kilobytes = static_cast<double>(kLongReach - kShortReach) / 1024;
  const bool pays = gain >= kReachGain && bytes_a_message >= kBytesPerKilobyte * more_kilobytes;
  const bool fits = memory_for(figures_, kLongReach, now) <= static_cast<double>(now.memory) / 2;
  const std::string why =
      fmt::format("32 KB of history instead of 4 KB save {} more ({:.0f} bytes a message)", percent(gain),
                  bytes_a_message);
  if (encoders_stand(figures_)) {
    // Encoders that stand refer to the whole window whatever is kept.
    return reach_in_effect(figures_, now);
  }
  if (pays && fits) {
    if (!now.history.is_auto && now.history.bytes < kLongReach) set("history", "auto", why);
    return kLongReach;
  }
  if (now.history.is_auto || now.history.bytes > kShortReach) {
    set("history", "4KiB", why + (fits ? "" : ", for which compression.memory does not suffice"));
  }
  return now.history.is_auto ? kShortReach : std::min<std::size_t>(kShortReach, now.history.bytes);
}

bool Advice::is_slower_worth_it(const telemetry::TrialCounters& fast,
                                const telemetry::TrialCounters& slow) const {
  const auto each = [](const telemetry::TrialCounters& one) {
    return static_cast<double>(one.compress_ns) / 1e9 / static_cast<double>(one.messages);
  };
  const auto& observed = figures_.observed;
  const double compressed = static_cast<double>(observed.seen_messages - observed.broadcasts);
  const double more_seconds = std::max(0.0, each(slow) - each(fast)) * compressed;
  const double more_bytes = (ratio(fast) - ratio(slow)) * static_cast<double>(observed.seen_bytes);
  const double busy = (figures_.cpu_seconds + each(slow) * compressed) / figures_.workers;
  return ratio(slow) < ratio(fast) * (1 - kLevelGain) &&
         more_seconds <= more_bytes / 1e9 * kDearestGigabyte && busy <= figures_.seconds * kMostBusy;
}

std::uint8_t Advice::choose_level(std::size_t reach) {
  std::uint8_t level = 1;
  if (is_slower_worth_it(trial(1, reach), trial(6, reach))) level = 6;
  if (is_slower_worth_it(trial(level, reach), trial(9, reach))) level = 9;
  const std::uint8_t now = figures_.in_force.level;
  // Within what a trial stands for, and where two come to the same, what is in force stays.
  const bool saves_the_same =
      now <= 6 && std::abs(ratio(trial(level, reach)) / ratio(trial(now, reach)) - 1) < 0.005;
  const bool is_same = nearest_trial(level, reach) == nearest_trial(now, reach) || saves_the_same;
  if (is_same) return now;
  const auto each = [this, reach](std::uint8_t at) {
    const auto& one = trial(at, reach);
    return static_cast<double>(one.compress_ns) / 1e3 / static_cast<double>(one.messages);
  };
  set("level", std::to_string(level),
      fmt::format("sends {} of the payload in {:.1f} us a message; level {} sends {} in {:.1f} us",
                  percent(ratio(trial(level, reach))), each(level), now, percent(ratio(trial(now, reach))),
                  each(now)));
  return level;
}

void Advice::expect_trial(std::uint8_t level, std::size_t reach) {
  const auto savings = telemetry::observed_savings(figures_.observed, nearest_trial(level, reach));
  if (!savings) return;
  advice_.expected = {
      per_second(static_cast<double>(savings->saved_bytes)),
      static_cast<double>(savings->saved_bytes) / std::max(1.0, static_cast<double>(savings->input_bytes)),
      per_second(savings->compress_seconds), memory_for(figures_, reach, figures_.in_force)};
}

void Advice::look_at_bypassed(double without_gain, double random, double tried) {
  if (tried <= 0) return;
  const std::uint64_t least = figures_.in_force.min_size;
  const double mean = figures_.payload_bytes / std::max(1.0, figures_.messages);
  if (without_gain / tried > kManyWithoutGain && least < kMostMinSize && mean < 512) {
    const std::uint64_t next = least < 64 ? 64 : std::min(kMostMinSize, least * 2);
    set("min_size", config::size_text(next),
        fmt::format("{} of what was tried did not shrink: too short to gain", percent(without_gain / tried)));
  }
  if (random / tried > kManyRaw) {
    note(
        "{} of the messages look encrypted or compressed already; `enabled: false` for their route saves the "
        "look",
        percent(random / tried));
  }
}

void Advice::from_use() {
  advice_.is_enough = figures_.messages >= kFewestMessages && figures_.payload_bytes > 0;
  if (!advice_.is_enough) return;
  const config::Compression& now = figures_.in_force;
  if (!now.enabled) {
    set("enabled", "true", "to find out what compression would save");
    set("mode", "observe", "which changes nothing for clients; run tune again after a while");
    return;
  }
  const double saved = figures_.input_bytes - figures_.output_bytes;
  advice_.expected = {per_second(saved), saved / figures_.payload_bytes,
                      per_second(figures_.compress_seconds), figures_.memory_bytes};
  double tried = figures_.bypassed[no_gain];
  double raw = 0;
  for (const double one : figures_.bypassed) raw += one;
  if (figures_.input_bytes <= 0 && raw <= 0) {
    note("no client has agreed to compression: there is nothing to tune");
    return;
  }
  if (saved < figures_.payload_bytes * (1 - kNotWorthIt)) {
    set("enabled", "false",
        fmt::format("it saves only {} of the payload", percent(saved / figures_.payload_bytes)));
    advice_.expected = {};
    return;
  }
  tried = std::max(0.0, figures_.messages - raw) + figures_.bypassed[no_gain];
  look_at_bypassed(figures_.bypassed[no_gain], figures_.bypassed[incompressible] + figures_.bypassed[stream],
                   std::max(tried, figures_.messages));
  look_at_memory();
  look_at_cpu();
  if (figures_.shared > 0.05 * figures_.messages) {
    note("{} of the messages took bytes that were compressed for another client",
         percent(figures_.shared / figures_.messages));
  }
}

void Advice::look_at_memory() {
  const config::Compression& now = figures_.in_force;
  const double dropped = figures_.sacrifices[index(telemetry::Sacrifice::histories_dropped)] +
                         figures_.sacrifices[index(telemetry::Sacrifice::takeover_refused)];
  const double freed = figures_.sacrifices[index(telemetry::Sacrifice::encoders_freed)];
  const bool is_full = figures_.memory_bytes > kMemoryFull * figures_.memory_limit_bytes;
  if (dropped <= 0 && !(is_full && freed > 0)) return;
  const auto more = static_cast<std::uint64_t>(std::ceil(static_cast<double>(now.memory) * 2 / (1 << 20)))
                    << 20U;
  const std::string why = dropped > 0 ? "histories were dropped or refused for want of memory"
                                      : "it is nearly full, and encoders are freed for it";
  set("memory", config::size_text(more), why);
  if (!now.history.is_auto && now.history.bytes > kShortReach)
    note("`history: 4KiB` instead of more `memory` costs some of the saving");
  advice_.expected.memory_bytes = std::min(static_cast<double>(more), figures_.memory_bytes * 2);
}

void Advice::look_at_cpu() {
  const config::Compression& now = figures_.in_force;
  if (now.adaptive && figures_.level > 0 && figures_.level < now.level) {
    set("level", std::to_string(figures_.level),
        fmt::format(
            "the CPU is short: level {} was lowered to it; more CPU or `workers` would be the other way",
            now.level));
    return;
  }
  const double busy = figures_.cpu_seconds / figures_.workers / std::max(1e-9, figures_.seconds);
  const double part = figures_.compress_seconds / std::max(1e-9, figures_.cpu_seconds);
  if (now.level > 1 && busy > kMostBusy && part > 0.5) {
    set("level", now.level > 6 ? "6" : "1",
        fmt::format("the workers are busy {} of the time, and compressing takes {} of that", percent(busy),
                    percent(part)));
    note("what is saved with another level is not known beforehand: `mode: observe` tells");
  }
}

}  // namespace

Recommendation recommend(const Figures& figures) {
  return Advice{figures}.take();
}

}  // namespace wsproxy::cli
