#include "server/cpu_quota.hpp"

#include <algorithm>
#include <fstream>
#include <sched.h>
#include <string>
#include <thread>

#include "base/ascii.hpp"

namespace wsproxy::server {

namespace {

std::optional<std::string> first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

std::optional<std::uint32_t> quota() {
  if (const auto line = first_line("/sys/fs/cgroup/cpu.max")) return parse_cpu_max(*line);
  const auto micros = first_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  const auto period = first_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (micros && period) return parse_cpu_max(*micros + " " + *period);
  return std::nullopt;
}

std::uint32_t allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<std::uint32_t>(CPU_COUNT(&set));
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

std::optional<std::uint32_t> parse_cpu_max(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto micros = base::parse_decimal(base::trim(text.substr(0, space)));
  const auto period = base::parse_decimal(base::trim(text.substr(space + 1)));
  if (!micros || !period || *micros == 0 || *period == 0) return std::nullopt;
  const std::uint64_t cpus = *micros / *period + (*micros % *period != 0 ? 1 : 0);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(cpus, 4096));
}

std::uint32_t automatic_workers() {
  const std::uint32_t allowed = std::max(1U, allowed_cpus());
  return std::min(quota().value_or(allowed), allowed);
}

}  // namespace wsproxy::server
