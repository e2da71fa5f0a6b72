#pragma once

#include <array>
#include <utility>

#include "websocket/close_payload.hpp"
#include "websocket/frame_parser.hpp"
#include "websocket/message_rules.hpp"

namespace wsproxy::relay {

/// Reads one leg for the direction that passes it on: takes the bytes apart, holds the frames against
/// the rules of their order, gathers each control frame and understands the close frame, so that what
/// is left to a direction are its messages. The same events however the bytes were cut, but for the
/// size of the payload's pieces.
///
/// It ends with a close frame or a fault: nothing behind that is looked at, and every further step
/// says it again.
class FrameReader {
 public:
  /// `compression_agreed`: this sender may set RSV1.
  FrameReader(websocket::Sender sender, bool compression_agreed)
      : parser_(sender), rules_(compression_agreed) {}
  FrameReader(const FrameReader&) = delete;  // close_payload() points into it
  FrameReader& operator=(const FrameReader&) = delete;

  enum class Event : std::uint8_t {
    need_more,  // all input is used
    header,     // of a data frame, allowed where it stands: header()
    payload,    // of that frame, a piece
    control,    // a ping or pong, whole: header() and payload
    close,      // a valid close frame: close_payload()
    fault,      // fault() says which rule was broken
  };
  struct Step {
    Event event = Event::need_more;
    /// Bytes of the input, possibly fewer than given: the rest is for the next step.
    std::size_t used = 0;
    /// Unmasked. A message's points into the input, a control frame's into the reader, until the next step.
    base::Bytes payload{};
    std::uint64_t offset = 0;       // of a data frame's piece in its frame
    bool frame_complete = false;    // this was the last piece; every data frame has one, an empty one too
    bool message_complete = false;  // and the frame was the last of its message
  };

  /// Consumes up to the next event and unmasks in place. `max_payload`, at least 1, bounds a piece. To be
  /// called until it says need_more, close or fault, with an empty input too.
  Step next(base::MutableBytes input, std::size_t max_payload);

  /// The direction found a fault that only it can see, in a message's size or content. Fault::none
  /// changes nothing.
  void fail(websocket::Fault fault) {
    if (fault_ == websocket::Fault::none) fault_ = fault;
  }
  websocket::Fault fault() const { return fault_; }
  /// Whether some of a message has come since this was asked last.
  bool take_saw_data() { return std::exchange(saw_data_, false); }

  const websocket::FrameHeader& header() const { return parser_.header(); }
  /// Of the message begun last: text or binary, and whether it came with RSV1.
  websocket::Opcode message_type() const { return rules_.opcode(); }
  bool is_compressed() const { return rules_.compressed(); }
  /// Of the close frame that was said to be valid. Its reason lives as long as the reader.
  websocket::ClosePayload close_payload() const;

 private:
  void gather(base::Bytes piece);
  base::Bytes control() const { return {control_.data(), control_have_}; }
  Step end_control(std::size_t used);

  websocket::FrameParser parser_;
  websocket::MessageRules rules_;
  websocket::Fault fault_ = websocket::Fault::none;
  bool is_closed_ = false;
  bool saw_data_ = false;
  std::uint8_t control_have_ = 0;
  std::array<std::byte, websocket::kMaxControlPayload> control_{};
};

}  // namespace wsproxy::relay
