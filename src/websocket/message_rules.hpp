#pragma once

#include <cstdint>

#include "websocket/fault.hpp"
#include "websocket/frame_header.hpp"

namespace wsproxy::websocket {

/// What one frame may be after the ones before it (RFC 6455 section 5.4, RFC 7692 section 6.1):
/// continuations, control frames in between, RSV1 on a first frame of an agreed extension only,
/// empty fragments that never end.
class MessageRules {
 public:
  /// `compression_agreed`: RSV1 is allowed on the first frame of a message.
  explicit MessageRules(bool compression_agreed) : compression_agreed_(compression_agreed) {}

  /// To be called once a frame, with its complete header. Control frames change nothing.
  Fault on_header(const FrameHeader& header);

  /// Of the message begun last.
  Opcode opcode() const { return opcode_; }
  bool compressed() const { return compressed_; }

  /// A message may have this many empty fragments, so that one which never grows still ends.
  static constexpr std::uint16_t kMaxEmptyFragments = 1024;

 private:
  bool compression_agreed_;
  bool in_message_ = false;
  bool compressed_ = false;
  Opcode opcode_ = Opcode::text;
  std::uint16_t empty_fragments_ = 0;
};

}  // namespace wsproxy::websocket
