#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wsproxy::telemetry {

/// Why a message went raw: label `reason` of wsproxy_compression_bypassed_total and
/// wsproxy_observed_bypassed_total, in the order of deflate::Bypass after its `none`.
inline constexpr std::array<const char*, 6> kBypassNames{"too_small", "incompressible", "stream",
                                                         "no_gain",   "keeps_shared",   "memory"};

/// What observing tries: label `trial`, in the order of deflate::kTrials.
inline constexpr std::array<const char*, 9> kTrialNames{"level1_none", "level1_4k", "level1_32k",
                                                        "level6_none", "level6_4k", "level6_32k",
                                                        "level9_none", "level9_4k", "level9_32k"};

/// Of the messages on which one of them was tried.
struct TrialCounters {
  std::uint64_t messages = 0;
  std::uint64_t input_bytes = 0;
  std::uint64_t output_bytes = 0;
  std::uint64_t compress_ns = 0;
  TrialCounters& operator+=(const TrialCounters& other);
};

/// What compression.mode: observe has found out.
struct ObservedCounters {
  std::array<TrialCounters, kTrialNames.size()> trials{};
  std::uint64_t seen_messages = 0;  // that the trials stand for
  std::uint64_t seen_bytes = 0;
  std::uint64_t broadcasts = 0;  // of them: another connection had the same lately
  std::array<std::uint64_t, kBypassNames.size()> bypassed{};
  std::uint64_t spent_ns = 0;  // on all of it
  ObservedCounters& operator+=(const ObservedCounters& other);
};

/// The trial that is nearest to a level, 1 to 9, and to how far back messages may refer, in bytes.
std::size_t nearest_trial(std::uint8_t level, std::size_t reach);

/// What compression would have come to for all messages seen, by one trial.
struct ObservedSavings {
  std::uint64_t messages = 0;
  std::uint64_t input_bytes = 0;
  std::uint64_t output_bytes = 0;
  std::uint64_t saved_bytes = 0;
  double compress_seconds = 0;  // a broadcast is compressed once
};

/// Nothing when that trial was not made yet.
std::optional<ObservedSavings> observed_savings(const ObservedCounters& observed, std::size_t trial);

}  // namespace wsproxy::telemetry
