#include "relay/frame_reader.hpp"

#include <algorithm>

namespace wsproxy::relay {

using websocket::Fault;
using websocket::FrameParser;

FrameReader::Step FrameReader::next(base::MutableBytes input, std::size_t max_payload) {
  if (is_closed_) return {.event = Event::close, .used = input.size()};
  std::size_t used = 0;
  while (fault_ == Fault::none) {
    const FrameParser::Step piece = parser_.feed(input.subspan(used), max_payload);
    const bool is_data = !is_control(header().opcode);
    used += piece.used;
    switch (piece.event) {
      case FrameParser::Event::need_more:
        return {.used = used};
      case FrameParser::Event::header:
        control_have_ = 0;
        fault_ = rules_.on_header(header());
        if (is_data) saw_data_ = true;
        if (is_data && fault_ == Fault::none) return {.event = Event::header, .used = used};
        break;
      case FrameParser::Event::payload:
        if (is_data) {
          saw_data_ = true;
          return {.event = Event::payload,
                  .used = used,
                  .payload = piece.payload,
                  .offset = piece.offset,
                  .frame_complete = piece.frame_complete,
                  .message_complete = piece.frame_complete && header().fin};
        }
        gather(piece.payload);
        if (piece.frame_complete) return end_control(used);
        break;
      case FrameParser::Event::fault:
        fault_ = parser_.fault();
        break;
    }
  }
  return {.event = Event::fault, .used = used};
}

void FrameReader::gather(base::Bytes piece) {
  // It fits: the parser refuses a control frame of more than kMaxControlPayload at its header.
  std::ranges::copy(piece, control_.begin() + control_have_);
  control_have_ = static_cast<std::uint8_t>(control_have_ + piece.size());
}

FrameReader::Step FrameReader::end_control(std::size_t used) {
  if (header().opcode != websocket::Opcode::close) {
    return {.event = Event::control, .used = used, .payload = control()};
  }
  websocket::ClosePayload close;
  fault_ = parse_close_payload(control(), close);
  is_closed_ = fault_ == Fault::none;
  return {.event = is_closed_ ? Event::close : Event::fault, .used = used};
}

websocket::ClosePayload FrameReader::close_payload() const {
  // Read a second time rather than kept: it is asked for once, and an idle connection holds no place for it.
  websocket::ClosePayload close;
  parse_close_payload(control(), close);
  return close;
}

}  // namespace wsproxy::relay
