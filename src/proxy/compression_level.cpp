#include "proxy/compression_level.hpp"

#include <algorithm>

namespace wsproxy::proxy {
namespace {

/// Calls with what is in force outside of all routes, then with each route's.
template <class Function>
void for_each_enabled(const config::Config& config, Function function) {
  if (config.compression.enabled) function(config.compression);
  for (const config::Route& route : config.routes) {
    if (route.compression.enabled) function(route.compression);
  }
}

}  // namespace

std::uint8_t highest_adaptive_level(const config::Config& config) {
  std::uint8_t highest = 1;
  for_each_enabled(config, [&highest](const config::Compression& compression) {
    if (compression.adaptive) highest = std::max(highest, compression.level);
  });
  return highest;
}

std::uint8_t lowest_level(const config::Config& config, const deflate::Governor& governor) {
  std::uint8_t lowest = 10;
  for_each_enabled(config, [&](const config::Compression& compression) {
    lowest = std::min(lowest, compression.adaptive ? governor.level(compression.level) : compression.level);
  });
  return lowest <= 9 ? lowest : config.compression.level;
}

}  // namespace wsproxy::proxy
