#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "telemetry/sentry_event.hpp"

namespace wsproxy::telemetry {

/// Who tells: the same in all events of a process.
struct SentrySource {
  std::string dsn;  // without its secret key
  std::string version;
  std::string build_id;
  std::string environment;
  std::string server_name;
};

/// The event as Sentry takes it (https://develop.sentry.dev/sdk/data-model/envelopes/): a line of JSON about
/// the whole, then for each item a line about it and the item. `discarded` counts events that were never sent
/// because there were too many; not 0: an item tells of them.
std::string sentry_envelope(const SentryEvent& event, const SentrySource& source,
                            std::chrono::system_clock::time_point now, std::uint64_t discarded);

/// How Sentry names debug symbols: the first 16 bytes of a build id as a UUID whose first three fields are
/// in little-endian order. Empty for what is no build id.
std::string sentry_debug_id(const std::string& build_id);

}  // namespace wsproxy::telemetry
