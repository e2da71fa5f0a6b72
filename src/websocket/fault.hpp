#pragma once

#include <cstdint>
#include <string_view>

namespace wsproxy::websocket {

/// Every way in which a peer can break RFC 6455 or RFC 7692, one value per rule.
enum class Fault : std::uint8_t {
  none,
  reserved_bits,             // 6455 5.2: RSV2, RSV3, or RSV1 without an extension
  rsv1_on_continuation,      // 7692 6.1: RSV1 belongs to the first frame
  rsv1_on_control,           // 7692 6.1
  reserved_opcode,           // 5.2
  unmasked_client_frame,     // 5.1
  masked_server_frame,       // 5.1
  length_not_minimal,        // 5.2
  length_top_bit,            // 5.2: the 64-bit form is at most 2^63-1
  control_too_long,          // 5.5: over 125 bytes
  control_fragmented,        // 5.5
  unexpected_continuation,   // 5.4: nothing to continue
  expected_continuation,     // 5.4: a new message inside another
  too_many_empty_fragments,  // ours: a message that never grows
  invalid_utf8,              // 8.1
  close_payload_of_one,      // 5.5.1
  close_code_illegal,        // 7.4
  close_reason_not_utf8,     // 5.5.1
  message_too_big,           // 10.4
  corrupt_deflate,           // 7692 7.2.2
};

/// What section 7.4.1 has for it: 1002, 1007 or 1009.
std::uint16_t close_code_for(Fault fault);

/// A short sentence for logs and close reasons (at most 123 bytes), e.g. "text is not valid UTF-8".
std::string_view describe(Fault fault);

}  // namespace wsproxy::websocket
