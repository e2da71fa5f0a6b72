#pragma once

#include <array>
#include <chrono>

#include "relay/meter.hpp"
#include "telemetry/counters.hpp"

namespace wsproxy::proxy {

/// Adds what one connection's relay does to its worker's counters and to the connection's own, which
/// its access line tells. What is told by listener and route goes to their cell of the worker's traffic,
/// where the connection is active as long as this lives. All are plain integers of the worker's thread and
/// outlive this.
class SessionMeter final : public relay::Meter {
 public:
  using Relayed = std::array<telemetry::DirectionCounters, telemetry::kDirections>;
  SessionMeter(telemetry::Counters& worker, telemetry::Traffic& cell, Relayed& own)
      : worker_(worker), share_(cell), own_(own) {}

  void on_message(relay::Leg to, websocket::Opcode type, bool compressed, std::uint64_t size) override;
  void on_compressed(std::size_t text, std::size_t packed, std::uint64_t nanoseconds) override;
  void on_shared(std::size_t text, std::size_t packed) override;
  void on_bypassed(deflate::Bypass reason, std::uint64_t nanoseconds) override;
  void on_inflated(std::uint64_t nanoseconds) override;
  void on_observed(const deflate::Observation& observation) override;

  /// Bytes of WebSocket, as they are on a leg's wire.
  void on_read(relay::Leg from, std::size_t bytes);
  void on_written(relay::Leg to, std::size_t bytes);
  /// So many messages were relayed at once.
  void on_relayed(relay::Leg from, std::uint64_t messages, std::chrono::nanoseconds took);
  /// The other leg is not read, since this one does not take what it has.
  void on_backpressure(relay::Leg to);
  /// How many there have been of this connection.
  std::uint64_t messages(relay::Leg from) const;

 private:
  void add_wire_bytes(telemetry::Direction direction, relay::Leg leg, std::size_t bytes);

  telemetry::Counters& worker_;
  telemetry::TrafficShare share_;
  Relayed& own_;
};

}  // namespace wsproxy::proxy
