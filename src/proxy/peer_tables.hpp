#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "telemetry/traffic.hpp"

namespace wsproxy::proxy {

/// What one connection is ranked by.
struct PeerWeight {
  std::uint64_t payload_bytes = 0;  // both ways
  std::uint64_t queued_bytes = 0;   // both ways
  bool is_paused = false;
  bool operator==(const PeerWeight&) const = default;

  /// Whether its peers take less than they are sent.
  bool is_slow() const { return queued_bytes > 0 || is_paused; }
};

bool is_larger(const PeerWeight& a, const PeerWeight& b);
/// By what waits for its peers, then by whether that holds up the other side.
bool is_slower(const PeerWeight& a, const PeerWeight& b);

/// What the status page tells of one WebSocket connection.
struct Peer {
  PeerWeight weight;
  std::string client;  // with its port
  std::string listener;
  std::string route;
  std::string path;  // without its query; not text of ours
  std::chrono::system_clock::time_point since;
  std::array<telemetry::DirectionCounters, telemetry::kDirections> relayed{};
  std::array<std::uint64_t, telemetry::kDirections> queued{};
};

/// The connections of a worker or of all that an operator would ask for first.
struct PeerTables {
  static constexpr std::size_t kRows = 10;
  static constexpr std::size_t kTextBytes = 256;  // of each text of a peer's
  std::size_t open = 0;                           // all connections
  std::vector<Peer> largest;                      // the largest first
  std::vector<Peer> slowest;                      // only who is slow at all
};

/// Adds what another worker has, and keeps the rows that matter.
void merge(PeerTables& into, PeerTables from);

}  // namespace wsproxy::proxy
