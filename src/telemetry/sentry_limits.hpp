#pragma once

#include <chrono>
#include <string_view>

namespace wsproxy::telemetry {

/// How long no error may be sent after an answer of Sentry's
/// (https://develop.sentry.dev/sdk/expected-features/ rate-limiting/): `limits` is its header
/// X-Sentry-Rate-Limits, `retry_after` of that name; empty: it has none. An HTTP date in Retry-After counts
/// as none; a 429 without anything is a minute. At most a day.
std::chrono::seconds sentry_silence(unsigned status, std::string_view limits, std::string_view retry_after);

}  // namespace wsproxy::telemetry
