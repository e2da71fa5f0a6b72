#include "websocket/message_rules.hpp"

namespace wsproxy::websocket {

Fault MessageRules::on_header(const FrameHeader& header) {
  if (is_control(header.opcode)) return Fault::none;
  if (header.rsv1 && !compression_agreed_) return Fault::reserved_bits;

  if (header.opcode == Opcode::continuation) {
    if (!in_message_) return Fault::unexpected_continuation;
    if (header.rsv1) return Fault::rsv1_on_continuation;
  } else {
    if (in_message_) return Fault::expected_continuation;
    opcode_ = header.opcode;
    compressed_ = header.rsv1;
    empty_fragments_ = 0;
  }

  in_message_ = !header.fin;
  if (header.fin || header.payload_size != 0) return Fault::none;
  if (empty_fragments_ == kMaxEmptyFragments) return Fault::too_many_empty_fragments;
  ++empty_fragments_;
  return Fault::none;
}

}  // namespace wsproxy::websocket
