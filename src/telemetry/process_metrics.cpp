#include "telemetry/process_metrics.hpp"

#include <array>
#include <fstream>
#include <poll.h>
#include <sstream>
#include <string>
#include <unistd.h>

#include <sys/resource.h>

#include "base/ascii.hpp"

namespace wsproxy::telemetry {
namespace {

std::string read_all(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return std::move(text).str();
}

/// How many numbers the table of descriptors has room for: none that is open is above.
std::uint64_t descriptor_table_size() {
  constexpr std::string_view kKey = "\nFDSize:\t";
  const std::string status = read_all("/proc/self/status");
  std::string_view text = status;
  const auto at = text.find(kKey);
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + kKey.size());
  return base::parse_decimal(text.substr(0, text.find('\n'))).value_or(0);
}

/// Asks poll() which numbers are none. Listing /proc/self/fd, as is usual, takes 3 microseconds for each one,
/// and its size tells how many there are from Linux 6.2 on only.
std::optional<std::uint64_t> count_open_fds() {
  std::array<pollfd, 256> batch{};
  std::uint64_t count = 0;
  const std::uint64_t table_size = descriptor_table_size();
  for (std::uint64_t next = 0; next < table_size; next += batch.size()) {
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i].fd = static_cast<int>(next + i);
    if (::poll(batch.data(), batch.size(), 0) < 0) return std::nullopt;
    for (const pollfd& one : batch) count += (one.revents & POLLNVAL) == 0 ? 1 : 0;
  }
  if (count == 0) return std::nullopt;
  return count;
}

std::optional<std::uint64_t> limit_of(decltype(RLIMIT_NOFILE) resource) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0) return std::nullopt;
  return limit.rlim_cur;
}

/// Takes the next word off the front; empty at the end.
std::string_view take_word(std::string_view& text) {
  const auto begin = std::min(text.find_first_not_of(" \n"), text.size());
  text.remove_prefix(begin);
  const auto word = text.substr(0, text.find_first_of(" \n"));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  text.remove_prefix(name_end + 1);

  // proc(5) numbers the fields from 1; the first word after the name is field 3.
  ProcessStat stat;
  for (int field = 3; field <= 24; ++field) {
    const auto word = take_word(text);
    if (word.empty()) return std::nullopt;
    std::uint64_t* wanted = nullptr;
    switch (field) {
      case 14:
        wanted = &stat.user_ticks;
        break;
      case 15:
        wanted = &stat.system_ticks;
        break;
      case 20:
        wanted = &stat.threads;
        break;
      case 22:
        wanted = &stat.start_ticks;
        break;
      case 23:
        wanted = &stat.virtual_bytes;
        break;
      case 24:
        wanted = &stat.resident_pages;
        break;
      default:
        continue;
    }
    const auto number = base::parse_decimal(word);
    if (!number) return std::nullopt;
    *wanted = *number;
  }
  return stat;
}

std::optional<std::uint64_t> parse_boot_time(std::string_view text) {
  constexpr std::string_view kKey = "\nbtime ";
  const auto at = text.find(kKey);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + kKey.size());
  return base::parse_decimal(take_word(text));
}

ProcessMetrics read_process_metrics() {
  ProcessMetrics metrics;
  metrics.open_fds = count_open_fds();
  metrics.max_fds = limit_of(RLIMIT_NOFILE);
  metrics.max_virtual_bytes = limit_of(RLIMIT_AS);

  const auto stat = parse_process_stat(read_all("/proc/self/stat"));
  if (!stat) return metrics;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  metrics.cpu_seconds = static_cast<double>(stat->user_ticks + stat->system_ticks) / ticks;
  metrics.virtual_bytes = stat->virtual_bytes;
  metrics.resident_bytes = stat->resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  metrics.threads = stat->threads;
  if (const auto boot = parse_boot_time(read_all("/proc/stat"))) {
    metrics.start_time_seconds = static_cast<double>(*boot) + static_cast<double>(stat->start_ticks) / ticks;
  }
  return metrics;
}

}  // namespace wsproxy::telemetry
