#include "proxy/context.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <malloc.h>
#include <utility>

#include <openssl/rand.h>

#include "proxy/compression_level.hpp"
#include "proxy/destination.hpp"

namespace wsproxy::proxy {

namespace {

constexpr std::size_t kReadBuffer = 128 * 1024;  // a 64 KiB message and its header in one read
constexpr std::size_t kIdleDecoders = 2;
constexpr std::size_t kSweepSteps = 64;  // 10 to 20 us each: nobody waits longer than about 1 ms for it
constexpr std::size_t kWorthTrimming = std::size_t{256} << 10;
constexpr auto kBetweenTrims = std::chrono::seconds{3};  // each takes 1 to 2 ms, of the other workers too

constexpr std::uint64_t kFlow = 100;  // messages a round

std::uint64_t messages_of(const telemetry::Counters& counters) {
  const telemetry::Traffic all = counters.traffic.sum();
  std::uint64_t sum = 0;
  for (const auto& direction : all.relayed) sum += direction.message_count();
  return sum;
}

/// Unpredictable keys are what keeps a hostile page from choosing the bytes that reach the app
/// (RFC 6455 section 10.3); without them there is nothing to fall back on.
void fill_random(base::MutableBytes bytes) {
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1)
    std::abort();
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  fill_random(std::as_writable_bytes(std::span{&seed, 1}));
  return seed;
}

std::uint64_t nanoseconds() {
  return static_cast<std::uint64_t>(net::Clock::now().time_since_epoch() / std::chrono::nanoseconds{1});
}

}  // namespace

Context::Context(net::IoContext& loop, std::shared_ptr<const Settings> first, telemetry::Log& log_to,
                 Quota& process_quota, std::size_t memory_share)
    : io(loop),
      poller(loop),
      settings(std::move(first)),
      log(log_to),
      quota(process_quota),
      codecs({.memory = memory_share,
              .encoders = deflate::standing_encoders(memory_share),
              .decoders = kIdleDecoders,
              .highest_level = highest_adaptive_level(config()),
              .seed = random_seed()}),
      mask_keys(fill_random),
      read_buffer(kReadBuffer),
      workshop{codecs, mask_keys, text, packed, nanoseconds} {
  use(settings);
  counters.compression_memory_limit_bytes = memory_share;
}

void Context::use(std::shared_ptr<const Settings> next) {
  forget_unused();
  settings = std::move(next);
  const std::uint8_t highest = highest_adaptive_level(config());
  if (highest != codecs.governor.highest()) codecs.governor = deflate::Governor{highest};
  counters.compression_level = lowest_level(config(), codecs.governor);
  route_labels = proxy::route_labels(config());
  for (auto& [name, listener] : counters.listeners) listener.is_open = false;
  for (const config::Listener& listener : config().listeners)
    counters.listeners[listener.label()].is_open = true;
}

void Context::end_event() {
  assert(to_client.empty() && to_app.empty() && text.empty() && packed.empty());
  clear_buffers();
}

void Context::clear_buffers() {
  for (base::ByteQueue* buffer : {&to_client, &to_app, &text, &packed}) buffer->clear();
}

void Context::keep_house() {
  app_pool.keep_house();
  tls_buffers.keep_house();
  const std::uint64_t messages = messages_of(counters);
  tls_buffers.spares_loop = messages - std::exchange(messages_before, messages) >= kFlow;
  untrimmed += codecs.end_round(kSweepSteps);
}

bool Context::keep_on() {
  const std::size_t before = codecs.budget.used();
  const bool is_more_to_do = codecs.sweep_on(kSweepSteps) > 0;
  untrimmed += before - std::min(before, codecs.budget.used());
  const auto now = net::Clock::now();
  if (!is_more_to_do && untrimmed >= kWorthTrimming && now >= next_trim) {
    ::malloc_trim(0);  // else the heap keeps what was given back
    untrimmed = 0;
    next_trim = now + kBetweenTrims;
  }
  return is_more_to_do;
}

void Context::forget_unused() {
  counters.traffic.forget([this](const telemetry::TrafficTable::Key& key) {
    const auto listener = counters.listeners.find(key.listener);
    return listener != counters.listeners.end() && listener->second.is_open &&
           route_labels.contains(key.route);
  });
  std::erase_if(counters.listeners, [this](const auto& one) {
    if (one.second.active != 0 || one.second.is_open) return false;
    counters.listeners_gone += one.second;
    return true;
  });
}

void Context::observe_load(double utilisation) {
  const std::uint8_t before = codecs.governor.cap();
  if (!codecs.governor.observe(utilisation)) return;
  counters.compression_level = lowest_level(config(), codecs.governor);
  log.write(telemetry::Level::info,
            codecs.governor.cap() < before ? "the CPU is short: compression level lowered"
                                           : "compression level raised again",
            {{"level", codecs.governor.cap()}, {"utilisation", std::round(utilisation * 100) / 100}});
}

}  // namespace wsproxy::proxy
