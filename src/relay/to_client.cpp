#include "relay/to_client.hpp"

#include <algorithm>

namespace wsproxy::relay {

using websocket::append_frame;
using websocket::Fault;
using websocket::FrameHeader;
using websocket::Opcode;

ToClient::ToClient(const Settings& settings, Workshop& workshop, Meter& meter)
    : settings_(settings), workshop_(workshop), meter_(meter) {
  if (!settings.compression) return;
  const CompressionSettings& compression = *settings.compression;
  policy_ = deflate::CompressionPolicy{compression.min_size};
  const std::size_t window = std::size_t{1} << compression.params.server_window_bits;
  const std::size_t reach = std::min(compression.history_bytes, window);
  if (!compression.params.server_no_context_takeover && reach > 0) {
    history_.emplace(reach, deflate::History::Keep::may_forget, workshop.budget);
  }
}

ToClient::Result ToClient::feed(base::MutableBytes input, base::ByteQueue& to_client, std::size_t room,
                                bool discard, bool stop_after_message) {
  Output out{to_client, discard};
  Result result;
  if (closed_) return {Event::close, input.size()};
  while (fault_ == Fault::none) {
    if (to_client.size() >= room) return {Event::no_room, result.used};
    const auto step = parser_.feed(input.subspan(result.used), kWholeMessage - held_.size() + 1);
    result.used += step.used;
    switch (step.event) {
      case websocket::FrameParser::Event::need_more:
        return result;
      case websocket::FrameParser::Event::header:
        fault_ = on_header();
        break;
      case websocket::FrameParser::Event::payload:
        fault_ = on_payload(step, out);
        if (closed_) return {Event::close, result.used};
        if (stop_after_message && between_messages()) return {Event::message_end, result.used};
        break;
      case websocket::FrameParser::Event::fault:
        fault_ = parser_.fault();
        break;
    }
  }
  result.event = Event::fault;
  return result;
}

Fault ToClient::on_header() {
  const FrameHeader& header = parser_.header();
  if (is_control(header.opcode)) {
    control_have_ = 0;
    return Fault::none;
  }
  if (const Fault fault = rules_.on_header(header); fault != Fault::none) return fault;
  if (header.opcode != Opcode::continuation) {
    message_bytes_ = 0;
    in_message_ = true;
    mode_ = settings_.compression ? Mode::hold : Mode::pass;
  }
  return Fault::none;
}

Fault ToClient::on_payload(const websocket::FrameParser::Step& step, Output& out) {
  if (is_control(parser_.header().opcode)) return on_control(step, out);
  message_bytes_ += step.payload.size();
  const bool message_complete = step.frame_complete && parser_.header().fin;
  switch (mode_) {
    case Mode::pass:
      pass(step, out);
      if (message_complete && !out.discard) {
        meter_.on_message(Leg::client, rules_.opcode(), false, message_bytes_);
      }
      break;
    case Mode::hold:
      hold(step, out);
      break;
    case Mode::compress:
      stream_compressed(step.payload, message_complete, out);
      break;
  }
  if (message_complete) message_begun_ = in_message_ = false;
  return Fault::none;
}

Fault ToClient::on_control(const websocket::FrameParser::Step& step, Output& out) {
  std::copy(step.payload.begin(), step.payload.end(), control_.begin() + control_have_);
  control_have_ = static_cast<std::uint8_t>(control_have_ + step.payload.size());
  if (!step.frame_complete) return Fault::none;
  const base::Bytes payload{control_.data(), control_have_};
  const Opcode opcode = parser_.header().opcode;
  if (opcode == Opcode::close) {
    const Fault fault = parse_close_payload(payload, close_);
    closed_ = fault == Fault::none;
    return fault;
  }
  send_frame({.opcode = opcode}, payload, out);
  return Fault::none;
}

void ToClient::pass(const websocket::FrameParser::Step& step, Output& out) {
  // A frame of which only a part has come goes on as a fragment, so that the client leg is always
  // between two frames: a close frame fits there even when the app dies inside one of its own.
  const bool fin = parser_.header().fin && step.frame_complete;
  send_frame({.fin = fin, .opcode = message_begun_ ? Opcode::continuation : rules_.opcode()}, step.payload,
             out);
  message_begun_ = true;
}

void ToClient::hold(const websocket::FrameParser::Step& step, Output& out) {
  const bool message_complete = step.frame_complete && parser_.header().fin;
  if (message_bytes_ > kWholeMessage) {
    begin_large(step, out);
    return;
  }
  if (!message_complete) {
    held_.append(step.payload);
  } else if (held_.empty()) {
    send_whole(step.payload, out);  // it came in one piece: nothing is copied
  } else {
    held_.append(step.payload);
    send_whole(held_.view(), out);
    held_.release();
  }
}

void ToClient::send_whole(base::Bytes text, Output& out) {
  if (out.discard) return;
  const CompressionSettings& compression = *settings_.compression;
  const deflate::EncoderShape shape =
      deflate::fitted_shape(compression.level, compression.params.server_window_bits,
                            history_ ? history_->reach() : 0, text.size());
  deflate::Bypass bypass = policy_.decide(text);
  base::ByteQueue& packed = workshop_.packed;
  std::uint64_t took = 0;
  if (bypass == deflate::Bypass::none) {
    const std::uint64_t begun = workshop_.nanoseconds();
    const bool shrank = workshop_.encoders.compress(text, shape, history_ ? &*history_ : nullptr, packed);
    took = workshop_.nanoseconds() - begun;
    policy_.record(text.size(), shrank ? packed.size() : text.size());
    if (!shrank) bypass = deflate::Bypass::no_gain;
  }
  const bool compressed = bypass == deflate::Bypass::none;
  if (compressed) {
    meter_.on_compressed(text.size(), packed.size(), took);
  } else {
    meter_.on_bypassed(bypass, took);
  }
  append_frame({.rsv1 = compressed, .opcode = rules_.opcode()}, compressed ? packed.view() : text, out.queue);
  packed.clear();
  meter_.on_message(Leg::client, rules_.opcode(), compressed, text.size());
}

void ToClient::begin_large(const websocket::FrameParser::Step& step, Output& out) {
  const FrameHeader& header = parser_.header();
  const base::Bytes sample = held_.size() >= step.payload.size() ? held_.view() : base::Bytes{step.payload};
  const deflate::Bypass bypass = policy_.decide(sample);
  if (bypass != deflate::Bypass::none) {
    meter_.on_bypassed(bypass, 0);
    mode_ = Mode::pass;
    const bool fin = header.fin && step.frame_complete;
    held_.append(step.payload);
    send_frame({.fin = fin, .opcode = rules_.opcode()}, held_.view(), out);
    message_begun_ = true;
    if (fin && !out.discard) {
      meter_.on_message(Leg::client, rules_.opcode(), false, message_bytes_);
    }
  } else {
    mode_ = Mode::compress;
    packed_bytes_ = 0;
    const CompressionSettings& compression = *settings_.compression;
    encoder_.emplace(workshop_.encoders.begin({compression.level, compression.params.server_window_bits},
                                              history_ ? &*history_ : nullptr));
    stream_compressed(held_.view(), false, out);
    stream_compressed(step.payload, step.frame_complete && header.fin, out);
  }
  held_.release();
}

void ToClient::stream_compressed(base::Bytes text, bool message_complete, Output& out) {
  base::ByteQueue& packed = workshop_.packed;
  const std::uint64_t begun = workshop_.nanoseconds();
  encoder_->write(text, packed);
  if (message_complete) encoder_->finish(packed);
  meter_.on_compressed(text.size(), packed.size(), workshop_.nanoseconds() - begun);
  packed_bytes_ += packed.size();
  if (!packed.empty() || message_complete) {
    send_frame({.fin = message_complete,
                .rsv1 = !message_begun_,
                .opcode = message_begun_ ? Opcode::continuation : rules_.opcode()},
               packed.view(), out);
    message_begun_ = true;
  }
  packed.clear();
  if (!message_complete) return;
  encoder_.reset();
  policy_.record(message_bytes_, packed_bytes_);
  if (out.discard) return;
  meter_.on_message(Leg::client, rules_.opcode(), true, message_bytes_);
}

void ToClient::send_frame(FrameHeader header, base::Bytes payload, Output& out) {
  if (!out.discard) append_frame(header, payload, out.queue);
}

}  // namespace wsproxy::relay
