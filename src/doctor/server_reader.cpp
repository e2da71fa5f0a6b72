#include "doctor/server_reader.hpp"

#include "websocket/close_payload.hpp"
#include "websocket/opcode.hpp"
#include "websocket/utf8.hpp"

namespace wsproxy::doctor {

using websocket::Fault;
using websocket::Opcode;

ServerReader::ServerReader(const Agreed& agreed) : rules_(agreed.compression) {
  if (agreed.compression) inflater_.emplace(agreed.server_window_bits, !agreed.server_no_context_takeover);
}

bool ServerReader::feed(base::Bytes bytes) {
  if (!problem_.empty()) return false;
  if (is_closed_ && input_.size() > kMostBehindClose) return true;
  input_.append(bytes);
  while (!is_closed_) {
    const auto step = parser_.feed(input_.mutable_view());
    bool is_good = true;
    switch (step.event) {
      case websocket::FrameParser::Event::need_more:
        input_.consume(step.used);
        return true;
      case websocket::FrameParser::Event::fault:
        return fail(std::string{describe(parser_.fault())});
      case websocket::FrameParser::Event::header:
        is_good = on_header();
        break;
      case websocket::FrameParser::Event::payload:
        (is_control(parser_.header().opcode) ? control_ : message_).append(base::as_text(step.payload));
        if (message_.size() > kMostPayload) return give_up();
        if (step.frame_complete) is_good = on_frame();
        break;
    }
    if (!is_good) return false;
    input_.consume(step.used);
  }
  return true;
}

std::optional<ServerEvent> ServerReader::take() {
  if (events_.empty()) return std::nullopt;
  ServerEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

bool ServerReader::on_header() {
  const Fault fault = rules_.on_header(parser_.header());
  if (fault != Fault::none) return fail(std::string{describe(fault)});
  return parser_.header().payload_size <= kMostPayload || give_up();
}

bool ServerReader::on_frame() {
  const auto& header = parser_.header();
  if (!is_control(header.opcode)) return !header.fin || on_message();
  if (header.opcode == Opcode::close) return on_close();
  events_.push_back({header.opcode, std::move(control_), false, 0});
  control_.clear();
  return true;
}

bool ServerReader::on_message() {
  ServerEvent event{rules_.opcode(), {}, rules_.compressed(), 0};
  if (event.compressed) {
    const auto result = inflater_->inflate(base::as_bytes(message_), event.payload, kMostPayload);
    if (result == ExactInflater::Result::corrupt)
      return fail("a compressed message that does not inflate with the window and takeover that were agreed");
    if (result == ExactInflater::Result::too_big) return give_up();
  } else {
    event.payload = std::move(message_);
  }
  message_.clear();
  if (event.opcode == Opcode::text && !websocket::is_valid_utf8(base::as_bytes(event.payload)))
    return fail(std::string{describe(Fault::invalid_utf8)});
  events_.push_back(std::move(event));
  return true;
}

bool ServerReader::on_close() {
  websocket::ClosePayload close;
  const Fault fault = websocket::parse_close_payload(base::as_bytes(control_), close);
  if (fault != Fault::none) return fail(std::string{describe(fault)});
  events_.push_back({Opcode::close, std::string{close.reason}, false, close.code});
  is_closed_ = true;
  return true;
}

bool ServerReader::give_up() {
  is_over_bound_ = true;
  return fail("a message of more than 96 MiB");
}

bool ServerReader::fail(std::string problem) {
  problem_ = std::move(problem);
  return false;
}

}  // namespace wsproxy::doctor
