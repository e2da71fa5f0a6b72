#include "telemetry/traffic.hpp"

#include "telemetry/array_sum.hpp"

namespace wsproxy::telemetry {

std::uint64_t DirectionCounters::message_count() const {
  return messages[0][0] + messages[0][1] + messages[1][0] + messages[1][1];
}

DirectionCounters& DirectionCounters::operator+=(const DirectionCounters& other) {
  add(messages, other.messages);
  payload_bytes += other.payload_bytes;
  add(wire_bytes, other.wire_bytes);
  return *this;
}

Traffic& Traffic::operator+=(const Traffic& other) {
  active += other.active;
  total += other.total;
  add(relayed, other.relayed);
  add(relay_ns, other.relay_ns);
  return *this;
}

void TrafficTable::forget(const std::function<bool(const Key&)>& is_current) {
  std::erase_if(cells_, [&](const Cells::value_type& entry) {
    if (entry.second.active != 0 || is_current(entry.first)) return false;
    gone_ += entry.second;
    return true;
  });
}

Traffic TrafficTable::sum() const {
  Traffic all = gone_;
  for (const auto& [key, cell] : cells_) all += cell;
  return all;
}

TrafficTable& TrafficTable::operator+=(const TrafficTable& other) {
  for (const auto& [key, cell] : other.cells_) cells_[key] += cell;
  gone_ += other.gone_;
  return *this;
}

}  // namespace wsproxy::telemetry
