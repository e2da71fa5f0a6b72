#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace wsproxy::server {

/// CPUs granted by the text of a cgroup v2 cpu.max ("200000 100000"), rounded up; nothing for "max"
/// or for what cannot be read.
std::optional<std::uint32_t> parse_cpu_max(std::string_view text);

/// How many workers `workers: auto` means: the container's CPU quota, at most the CPUs this process
/// may run on, at least one.
std::uint32_t automatic_workers();

}  // namespace wsproxy::server
