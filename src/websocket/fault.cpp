#include "websocket/fault.hpp"

#include "websocket/close_code.hpp"

namespace wsproxy::websocket {

std::uint16_t close_code_for(Fault fault) {
  switch (fault) {
    case Fault::none:
      return close_code::normal;
    case Fault::invalid_utf8:
    case Fault::close_reason_not_utf8:
    case Fault::corrupt_deflate:
      return close_code::invalid_payload;
    case Fault::message_too_big:
    case Fault::too_many_empty_fragments:
      return close_code::too_big;
    case Fault::reserved_bits:
    case Fault::rsv1_on_continuation:
    case Fault::rsv1_on_control:
    case Fault::reserved_opcode:
    case Fault::unmasked_client_frame:
    case Fault::masked_server_frame:
    case Fault::length_not_minimal:
    case Fault::length_top_bit:
    case Fault::control_too_long:
    case Fault::control_fragmented:
    case Fault::unexpected_continuation:
    case Fault::expected_continuation:
    case Fault::close_payload_of_one:
    case Fault::close_code_illegal:
      return close_code::protocol_error;
  }
  return close_code::protocol_error;
}

std::string_view describe(Fault fault) {
  switch (fault) {
    case Fault::none:
      return "no fault";
    case Fault::reserved_bits:
      return "reserved bits are set";
    case Fault::rsv1_on_continuation:
      return "RSV1 is set on a continuation frame";
    case Fault::rsv1_on_control:
      return "RSV1 is set on a control frame";
    case Fault::reserved_opcode:
      return "the opcode is reserved";
    case Fault::unmasked_client_frame:
      return "a frame from the client is not masked";
    case Fault::masked_server_frame:
      return "a frame from the server is masked";
    case Fault::length_not_minimal:
      return "a length is not in its shortest form";
    case Fault::length_top_bit:
      return "the top bit of a 64-bit length is set";
    case Fault::control_too_long:
      return "a control frame is longer than 125 bytes";
    case Fault::control_fragmented:
      return "a control frame is fragmented";
    case Fault::unexpected_continuation:
      return "a continuation frame has nothing to continue";
    case Fault::expected_continuation:
      return "a message begins inside another";
    case Fault::too_many_empty_fragments:
      return "a message has too many empty fragments";
    case Fault::invalid_utf8:
      return "text is not valid UTF-8";
    case Fault::close_payload_of_one:
      return "a close frame has half a status code";
    case Fault::close_code_illegal:
      return "a close frame has a status code that may not be sent";
    case Fault::close_reason_not_utf8:
      return "a close reason is not valid UTF-8";
    case Fault::message_too_big:
      return "a message is too big";
    case Fault::corrupt_deflate:
      return "compressed data is corrupt";
  }
  return "unknown fault";
}

}  // namespace wsproxy::websocket
