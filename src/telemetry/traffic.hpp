#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "telemetry/histogram.hpp"

namespace wsproxy::telemetry {

enum class Direction : std::uint8_t { to_client, to_app };
enum class Side : std::uint8_t { client, app };
inline constexpr std::size_t kDirections = 2;
inline constexpr std::size_t kSides = 2;
constexpr std::size_t index(Direction d) {
  return static_cast<std::size_t>(d);
}
constexpr std::size_t index(Side s) {
  return static_cast<std::size_t>(s);
}

inline constexpr std::array<std::uint64_t, 12> kLatencyBoundsNs{
    10'000,    25'000,    50'000,     100'000,    250'000,     500'000,
    1'000'000, 2'500'000, 10'000'000, 50'000'000, 250'000'000, 1'000'000'000};
using LatencyHistogram = Histogram<kLatencyBoundsNs>;

/// What one direction of the relay has done.
struct DirectionCounters {
  // messages[type][compressed]: type 0 text, 1 binary; compressed on the client's wire
  std::array<std::array<std::uint64_t, 2>, 2> messages{};
  std::uint64_t payload_bytes = 0;
  std::array<std::uint64_t, kSides> wire_bytes{};  // by side: read from or written to that socket
  std::uint64_t message_count() const;
  DirectionCounters& operator+=(const DirectionCounters& other);
};

/// What the WebSocket connections of one listener to one route have done, those that have ended too.
struct Traffic {
  std::int64_t active = 0;  // relayed now
  std::uint64_t total = 0;
  std::array<DirectionCounters, kDirections> relayed{};
  std::array<LatencyHistogram, kDirections> relay_ns;
  Traffic& operator+=(const Traffic& other);
};

/// Traffic by the labels of listener and route. A cell stays where it is while it is used, so that a
/// message is counted in one place and without a look-up; who wants totals sums the cells.
class TrafficTable {
 public:
  struct Key {
    std::string listener;
    std::string route;
    auto operator<=>(const Key&) const = default;
  };
  using Cells = std::map<Key, Traffic>;

  /// Made when it is not there. Valid until forget() finds it unused.
  Traffic& cell(Key key) { return cells_[std::move(key)]; }
  /// What nobody uses and `is_current` does not want becomes a part of gone(): sums never go down, and the
  /// number of cells follows the configuration and the connections, not the past.
  void forget(const std::function<bool(const Key&)>& is_current);

  const Cells& cells() const { return cells_; }
  const Traffic& gone() const { return gone_; }
  /// All there was since the start.
  Traffic sum() const;
  TrafficTable& operator+=(const TrafficTable& other);

 private:
  Cells cells_;
  Traffic gone_;
};

/// One connection's use of a cell: counted there as active as long as this lives. Holds a reference to the
/// cell, which it keeps in its table.
class TrafficShare {
 public:
  explicit TrafficShare(Traffic& cell) : cell_(cell) {
    ++cell_.active;
    ++cell_.total;
  }
  ~TrafficShare() { --cell_.active; }
  TrafficShare(const TrafficShare&) = delete;
  TrafficShare& operator=(const TrafficShare&) = delete;
  Traffic& cell() { return cell_; }

 private:
  Traffic& cell_;
};

}  // namespace wsproxy::telemetry
