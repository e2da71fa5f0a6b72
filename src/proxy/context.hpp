#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "net/poller.hpp"
#include "net/tls_buffers.hpp"
#include "proxy/app_pool.hpp"
#include "proxy/quota.hpp"
#include "proxy/session_registry.hpp"
#include "proxy/settings.hpp"
#include "relay/leg.hpp"
#include "relay/settings.hpp"
#include "telemetry/counters.hpp"
#include "telemetry/log.hpp"

namespace wsproxy::proxy {

/// What a worker lends to its sessions: its loop, buffers, codecs and counters. One thread; outlives
/// every session.
struct Context {
  /// `memory_share` is this worker's part of compression.memory; the quota is the process's.
  Context(net::IoContext& loop, std::shared_ptr<const Settings> first, telemetry::Log& log_to,
          Quota& process_quota, std::size_t memory_share);

  /// What new connections go by from now on.
  void use(std::shared_ptr<const Settings> next);
  /// What a reload has removed goes with the next one, unless connections still use it: its last figures have
  /// been seen by then, and the sum over workers does not go down before.
  void forget_unused();
  const config::Config& config() const { return *settings->config; }

  /// Between two events the buffers below are empty: bytes of one connection never meet another.
  void end_event();
  void clear_buffers();
  /// Output for a leg, within one event.
  base::ByteQueue& scratch(relay::Leg leg) { return leg == relay::Leg::client ? to_client : to_app; }
  /// Gives back what nobody has used for a while; to be called every kHousekeeping.
  void keep_house();
  /// Goes on with what that left to do, in small portions: to be called every kPortion while it says true.
  bool keep_on();
  static constexpr auto kPortion = std::chrono::milliseconds{20};
  static constexpr auto kHousekeeping = std::chrono::seconds{1};
  /// How much of the last round the worker was busy, 0 to 1; to be called every kLoadRound.
  void observe_load(double utilisation);
  static constexpr auto kLoadRound = std::chrono::seconds{1};

  net::IoContext& io;
  net::Poller poller;
  std::shared_ptr<const Settings> settings;  // of connections that begin now
  telemetry::Log& log;
  Quota& quota;
  telemetry::Counters counters;
  std::set<std::string> route_labels;  // of the settings
  deflate::Codecs codecs;
  websocket::MaskKeys mask_keys;
  std::vector<std::byte> read_buffer;  // every read of the worker goes here first
  net::TlsBuffers tls_buffers;
  base::ByteQueue to_client;  // scratch output, empty between events
  base::ByteQueue to_app;
  base::ByteQueue text;
  base::ByteQueue packed;
  relay::Workshop workshop;
  std::size_t untrimmed = 0;  // bytes given back to the heap since it was trimmed
  net::Clock::time_point next_trim{};
  std::uint64_t messages_before = 0;  // relayed before this round of housekeeping
  std::uint64_t ended_well = 0;       // connections that ended as they should, for log.access_sample
  SessionRegistry sessions;
  AppPool app_pool;
  /// Sessions that are only told so: over limits.max_connections, or refused and not gone yet. They hold
  /// no place. Added to by the accepting thread too.
  std::atomic<std::size_t> refused{0};
};

}  // namespace wsproxy::proxy
