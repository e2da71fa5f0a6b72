#pragma once

#include "telemetry/counters.hpp"
#include "websocket/opcode.hpp"

namespace wsproxy::relay {

/// What relaying does to the figures: the worker's, and the connection's own for its access line.
/// Both are plain integers of the worker's thread and outlive the relay.
struct Meter {
  telemetry::Counters& worker;
  std::array<telemetry::DirectionCounters, telemetry::kDirections>& own;

  void message(telemetry::Direction direction, websocket::Opcode type, bool compressed, std::uint64_t size) {
    const std::size_t d = telemetry::index(direction);
    const std::size_t kind = type == websocket::Opcode::text ? 0 : 1;
    for (telemetry::DirectionCounters* counters : {&worker.relayed[d], &own[d]}) {
      ++counters->messages[kind][compressed ? 1 : 0];
      counters->payload_bytes += size;
    }
    worker.message_bytes.observe(size);
  }
};

}  // namespace wsproxy::relay
