#include "proxy/context.hpp"

#include <chrono>
#include <cstdlib>

#include <openssl/rand.h>

namespace wsproxy::proxy {

namespace {

constexpr std::size_t kReadBuffer = 128 * 1024;  // a 64 KiB message and its header in one read
constexpr std::size_t kIdleEncoders = 8;  // zlib's are 268 KB each: together they still fit a shared cache
constexpr std::size_t kIdleDecoders = 2;

/// Unpredictable keys are what keeps a hostile page from choosing the bytes that reach the app
/// (RFC 6455 section 10.3); without them there is nothing to fall back on.
void fill_random(base::MutableBytes bytes) {
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1)
    std::abort();
}

std::uint64_t nanoseconds() {
  return static_cast<std::uint64_t>(net::Clock::now().time_since_epoch() / std::chrono::nanoseconds{1});
}

}  // namespace

Context::Context(net::IoContext& loop, std::shared_ptr<const config::Config> settings, telemetry::Log& log_to,
                 std::size_t memory_share)
    : io(loop),
      config(std::move(settings)),
      log(log_to),
      budget(memory_share),
      encoders(kIdleEncoders, budget),
      decoders(kIdleDecoders, budget),
      mask_keys(fill_random),
      read_buffer(kReadBuffer),
      workshop{budget, encoders, decoders, mask_keys, text, packed, nanoseconds} {
  counters.listeners.resize(config->listeners.size());
}

}  // namespace wsproxy::proxy
