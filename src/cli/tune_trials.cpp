#include <algorithm>
#include <cmath>

#include "cli/tune_advice.hpp"
#include "deflate/encoder.hpp"

namespace wsproxy::cli {
namespace {

using telemetry::nearest_trial;

constexpr std::uint64_t kFewestTried = 30;  // of each trial
constexpr double kReachGain = 0.04;         // of the bytes that remain
constexpr double kBytesPerKilobyte = 1;     // and so many a message for each KB more that a connection keeps
constexpr double kLevelGain = 0.03;         // of the bytes that remain
constexpr double kDearestGigabyte = 400;    // CPU seconds for each GB that a slower level saves on top
constexpr std::size_t kLongReach = 32 * 1024;

/// Of all workers together.
double standing_encoders(const Figures& figures) {
  const double share = static_cast<double>(figures.in_force.memory) / figures.workers;
  return figures.workers * static_cast<double>(deflate::standing_encoders(static_cast<std::size_t>(share)));
}

bool encoders_stand(const Figures& figures) {
  return figures.connections <= standing_encoders(figures);
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
  const double encoders = std::min(figures.connections, standing_encoders(figures));
  return figures.connections * (static_cast<double>(reach) + received) + encoders * deflate::kEncoderBytes;
}

double ratio(const telemetry::TrialCounters& trial) {
  return static_cast<double>(trial.output_bytes) /
         static_cast<double>(std::max<std::uint64_t>(1, trial.input_bytes));
}

class FromTrials : public Advice {
 public:
  using Advice::Advice;

  void look();

 private:
  const telemetry::TrialCounters& trial(std::uint8_t level, std::size_t reach) const {
    return figures.observed.trials.at(nearest_trial(level, reach));
  }
  std::size_t choose_reach();
  std::uint8_t choose_level(std::size_t reach);
  bool is_slower_worth_it(const telemetry::TrialCounters& fast, const telemetry::TrialCounters& slow) const;
  void expect_trial(std::uint8_t level, std::size_t reach);
};

void FromTrials::look() {
  const auto& observed = figures.observed;
  result.was_observed = true;
  const bool were_all_tried = std::ranges::all_of(
      observed.trials, [](const auto& one) { return one.messages >= kFewestTried && one.input_bytes > 0; });
  result.is_enough = were_all_tried && static_cast<double>(observed.seen_messages) >= kFewestMessages;
  if (!result.is_enough) return;

  const double best = ratio(*std::ranges::min_element(observed.trials, {}, ratio));
  if (best > kNotWorthIt) {
    set("enabled", "false", fmt::format("even the best trial saves only {}", percent(1 - best)));
    return;
  }
  set("mode", "compress", fmt::format("trials saved up to {}", percent(1 - best)));
  const std::size_t reach = choose_reach();
  const std::uint8_t level = choose_level(reach);
  Bypassed bypassed;
  for (const auto& one : observed.trials) bypassed.messages += static_cast<double>(one.messages);
  bypassed.random = static_cast<double>(observed.bypassed[incompressible] + observed.bypassed[stream]);
  bypassed.tried = bypassed.messages - bypassed.random - static_cast<double>(observed.bypassed[too_small]);
  bypassed.without_gain = static_cast<double>(observed.bypassed[no_gain]);
  look_at(bypassed);
  const double broadcast =
      static_cast<double>(observed.broadcasts) / static_cast<double>(observed.seen_messages);
  if (broadcast > 0.05) {
    note(
        "{} of the messages are broadcasts, which are compressed once a worker: the CPU above counts them so",
        percent(broadcast));
  }
  expect_trial(level, reach);
}

std::size_t FromTrials::choose_reach() {
  const config::Compression& now = figures.in_force;
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
  const double mean =
      static_cast<double>(figures.observed.seen_bytes) / static_cast<double>(figures.observed.seen_messages);
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
  const bool fits = memory_for(figures, kLongReach, now) <= static_cast<double>(now.memory) / 2;
  const std::string why =
      fmt::format("32 KB of history instead of 4 KB save {} more ({:.0f} bytes a message)", percent(gain),
                  bytes_a_message);
  if (encoders_stand(figures)) {
    // Encoders that stand refer to the whole window whatever is kept.
    return reach_in_effect(figures, now);
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

bool FromTrials::is_slower_worth_it(const telemetry::TrialCounters& fast,
                                    const telemetry::TrialCounters& slow) const {
  const auto each = [](const telemetry::TrialCounters& one) {
    return static_cast<double>(one.compress_ns) / 1e9 / static_cast<double>(one.messages);
  };
  const auto& observed = figures.observed;
  const double compressed = static_cast<double>(observed.seen_messages - observed.broadcasts);
  const double more_seconds = std::max(0.0, each(slow) - each(fast)) * compressed;
  const double more_bytes = (ratio(fast) - ratio(slow)) * static_cast<double>(observed.seen_bytes);
  const double busy = (figures.cpu_seconds + each(slow) * compressed) / figures.workers;
  return ratio(slow) < ratio(fast) * (1 - kLevelGain) &&
         more_seconds <= more_bytes / 1e9 * kDearestGigabyte && busy <= figures.seconds * kMostBusy;
}

std::uint8_t FromTrials::choose_level(std::size_t reach) {
  std::uint8_t level = 1;
  if (is_slower_worth_it(trial(1, reach), trial(6, reach))) level = 6;
  if (is_slower_worth_it(trial(level, reach), trial(9, reach))) level = 9;
  const std::uint8_t now = figures.in_force.level;
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

void FromTrials::expect_trial(std::uint8_t level, std::size_t reach) {
  const auto savings = telemetry::observed_savings(figures.observed, nearest_trial(level, reach));
  if (!savings) return;
  result.expected = {
      per_second(static_cast<double>(savings->saved_bytes)),
      static_cast<double>(savings->saved_bytes) / std::max(1.0, static_cast<double>(savings->input_bytes)),
      per_second(savings->compress_seconds), memory_for(figures, reach, figures.in_force)};
}

}  // namespace

Recommendation recommend_from_trials(const Figures& figures) {
  FromTrials advice{figures};
  advice.look();
  return std::move(advice.result);
}

}  // namespace wsproxy::cli
