#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "telemetry/counters.hpp"
#include "telemetry/log.hpp"

namespace wsproxy::telemetry {

/// Who ended the connection; `by_operator` is a drain or a shutdown.
enum class ClosedBy : std::uint8_t { client, app, proxy, by_operator };

struct AccessTraffic {
  std::uint64_t messages = 0;
  std::uint64_t payload_bytes = 0;  // uncompressed
  std::uint64_t wire_bytes = 0;     // on the client's socket, frame headers included
};

/// One connection, or one plain request, that has ended. Texts are borrowed; empty ones are left out of the
/// line.
struct AccessRecord {
  std::string_view client;  // address and port
  std::string_view listener;
  std::string_view method;
  std::string_view target;   // as the client sent it; only the path is logged
  std::uint16_t status = 0;  // what the client was answered; 0: nothing
  std::string_view subprotocol;
  std::string_view extension;  // the answer's Sec-WebSocket-Extensions
  std::string_view request_id;
  std::string_view user_agent;
  std::string_view traceparent;                // W3C Trace Context, as the client sent it
  std::string_view upstream;                   // where it went, when there is a choice
  std::optional<std::uint64_t> request_bytes;  // bodies of a plain request that was passed on
  std::optional<std::uint64_t> response_bytes;
  std::array<AccessTraffic, kDirections> traffic{};  // by Direction; logged after a 101
  std::chrono::nanoseconds duration{};
  std::uint16_t close_code = 0;  // logged after a 101
  ClosedBy closed_by = ClosedBy::client;
  std::string_view cause;
  std::uint32_t sample = 1;  // the line stands for so many that ended as they should
  bool is_complete = false;  // ended as it should: nobody is to blame unless there is a cause
};

/// Nobody need look: a plain request whose answer, not a server error, has reached the client; a WebSocket
/// closed by its client, the app or the operator with 1000, 1001 or 1005. What the proxy ends, refuses or
/// could not pass on is not.
bool ended_as_it_should(const AccessRecord& record);

/// One line "access" at info; docs/logs.md has its fields.
void write_access(Log& log, const AccessRecord& record);

/// The path of a request target: query strings may hold tokens, a URL may hold a password.
std::string_view path_of(std::string_view target);

}  // namespace wsproxy::telemetry
