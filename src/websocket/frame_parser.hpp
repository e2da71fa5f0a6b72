#pragma once

#include <array>

#include "base/bytes.hpp"
#include "websocket/fault.hpp"
#include "websocket/frame_header.hpp"

namespace wsproxy::websocket {

/// Who sent the bytes that a parser reads: clients mask, servers do not (RFC 6455 section 5.1).
enum class Sender : std::uint8_t { client, server };

/// Cuts one direction of a connection into frames (RFC 6455 section 5.2) and unmasks in place.
/// Checks what a single frame can break: reserved opcodes, RSV2 and RSV3, masking, minimal lengths,
/// the size and FIN of control frames, RSV1 on control frames. What depends on other frames is
/// MessageRules' business. After a fault every call returns it again.
class FrameParser {
 public:
  explicit FrameParser(Sender sender) : sender_(sender) {}

  enum class Event : std::uint8_t {
    need_more,  // all input is used
    header,     // header() is complete
    payload,    // step.payload, unmasked, at step.offset of the frame's payload
    fault,      // fault() says which
  };
  struct Step {
    Event event = Event::need_more;
    /// Bytes of the input, possibly fewer than given: the rest is for the next call. 0 with a fault.
    std::size_t used = 0;
    /// Points into the input.
    base::MutableBytes payload{};
    std::uint64_t offset = 0;
    /// This was the frame's last payload. Every frame has such a step, an empty one too.
    bool frame_complete = false;
  };

  /// Consumes up to the next event. `max_payload`, at least 1, bounds the payload of one step. To be
  /// called until it says need_more or fault, with an empty input too: the step that completes an empty
  /// frame uses no input.
  Step feed(base::MutableBytes input, std::size_t max_payload = SIZE_MAX);

  /// Of the frame that is being read; valid from its header event to the next one.
  const FrameHeader& header() const { return header_; }
  Fault fault() const { return fault_; }
  /// Whether no frame has been begun; false after a fault.
  bool between_frames() const {
    return state_ == State::header && header_have_ == 0 && fault_ == Fault::none;
  }

 private:
  enum class State : std::uint8_t { header, payload };

  Step read_header(base::Bytes input);
  Step collect_header(base::Bytes input);
  Step finish_header(base::Bytes bytes, std::size_t used);
  Step read_payload(base::MutableBytes input, std::size_t max_payload);
  Step fail(Fault fault);

  Sender sender_;
  State state_ = State::header;
  Fault fault_ = Fault::none;
  std::uint8_t header_have_ = 0;
  std::array<std::byte, kMaxHeaderSize> header_bytes_{};
  FrameHeader header_;
  std::uint64_t payload_done_ = 0;
};

}  // namespace wsproxy::websocket
