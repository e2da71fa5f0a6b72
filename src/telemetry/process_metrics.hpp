#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace wsproxy::telemetry {

/// What the kernel says of this process. A fact that cannot be read is absent, not zero: /proc may
/// be hidden, and a process out of descriptors cannot open it.
struct ProcessMetrics {
  std::optional<double> cpu_seconds;
  std::optional<double> start_time_seconds;  // since the epoch
  std::optional<std::uint64_t> resident_bytes;
  std::optional<std::uint64_t> virtual_bytes;
  std::optional<std::uint64_t> max_virtual_bytes;  // the greatest number when there is no limit
  std::optional<std::uint64_t> threads;
  std::optional<std::uint64_t> open_fds;
  std::optional<std::uint64_t> max_fds;
};

ProcessMetrics read_process_metrics();

/// The numbers of /proc/PID/stat that we use, in the kernel's units (proc(5)).
struct ProcessStat {
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  std::uint64_t threads = 0;
  std::uint64_t start_ticks = 0;  // since boot
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_pages = 0;
};

/// Nothing when the text is not a stat line. The command's name may hold spaces and parentheses.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

/// The `btime` line of /proc/stat: seconds since the epoch.
std::optional<std::uint64_t> parse_boot_time(std::string_view text);

}  // namespace wsproxy::telemetry
