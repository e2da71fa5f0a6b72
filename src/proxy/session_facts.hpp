#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "net/types.hpp"
#include "relay/relay.hpp"
#include "telemetry/counters.hpp"

namespace wsproxy::proxy {

class Session;

/// What the access line and the closing metrics tell; filled while the session lives.
struct SessionFacts {
  net::Clock::time_point started;  // of the request
  std::string method;
  std::string target;
  std::string user_agent;
  std::string traceparent;
  std::uint16_t status = 0;
  std::string subprotocol;
  std::string extension;
  std::string request_id;
  std::array<telemetry::DirectionCounters, telemetry::kDirections> relayed{};
  std::array<std::uint64_t, telemetry::kDirections> body_bytes{};  // of a plain request and its answer
  bool is_plain = false;                                           // passed on as it is, no WebSocket
  bool is_complete = false;                                        // its answer has reached the client
  relay::Ending ending;
  std::array<std::uint16_t, 2> close_codes{websocket::close_code::abnormal, websocket::close_code::abnormal};
};

/// Adds what a plain request that was answered, or a relay that has ended, tells to the worker's counters.
void count(const SessionFacts& facts, telemetry::Counters& counters);

/// One access line, unless log.access is off or the client said nothing (a TCP probe, a port scan),
/// or it ended as it should and log.access_sample passes over it.
void write_access_line(Session& session);

}  // namespace wsproxy::proxy
