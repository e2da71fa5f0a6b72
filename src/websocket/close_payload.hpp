#pragma once

#include <string>
#include <string_view>

#include "base/byte_queue.hpp"
#include "websocket/close_code.hpp"
#include "websocket/fault.hpp"
#include "websocket/frame_header.hpp"

namespace wsproxy::websocket {

/// A close frame's payload (RFC 6455 section 5.5.1). An empty payload is code 1005.
struct ClosePayload {
  std::uint16_t code = close_code::no_status;
  std::string_view reason;  // points into the payload parsed
};

inline constexpr std::size_t kMaxControlPayload = 125;
inline constexpr std::size_t kMaxCloseReason = 123;

/// Fault::none, or what is wrong with it. `payload` is whole, at most 125 bytes.
Fault parse_close_payload(base::Bytes payload, ClosePayload& result);

/// A whole close frame. Code 1005 gives an empty payload; a reason that is too long is cut between
/// characters. `header` brings the masking.
void append_close_frame(FrameHeader header, std::uint16_t code, std::string_view reason, base::ByteQueue& to);

}  // namespace wsproxy::websocket
