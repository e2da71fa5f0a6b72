#include "relay/to_client.hpp"

#include <algorithm>

namespace wsproxy::relay {

using websocket::append_frame;
using websocket::Opcode;

ToClient::ToClient(const Settings& settings, Workshop& workshop, Meter& meter)
    : settings_(settings), workshop_(workshop), meter_(meter), reader_(websocket::Sender::server, false) {
  if (settings.compression) compressor_.emplace(settings.compression->sending, workshop.codecs);
  if (settings.observing)
    observed_ = std::make_unique<deflate::ObservedConnection>(*settings.observing, workshop.codecs.observer);
}

ToClient::Result ToClient::feed(base::MutableBytes input, base::ByteQueue& to_client, std::size_t room,
                                Allowance& allowance, bool discard, bool stop_after_message) {
  if (discard) drop_message();
  Result result;
  while (to_client.size() < room && !allowance.is_used_up()) {
    const FrameReader::Step step = reader_.next(input.subspan(result.used), kWholeMessage - held_.size() + 1);
    result.used += step.used;
    switch (step.event) {
      case FrameReader::Event::need_more:
        return result;
      case FrameReader::Event::header:
        on_header(allowance);
        break;
      case FrameReader::Event::payload:
        if (!discard) on_payload(step, to_client);
        if (step.message_complete) --allowance.messages;
        if (stop_after_message && between_messages()) return {Event::message_end, result.used};
        break;
      case FrameReader::Event::control:
        --allowance.control_frames;
        if (!discard) append_frame({.opcode = reader_.header().opcode}, step.payload, to_client);
        break;
      case FrameReader::Event::close:
        return {Event::close, result.used};
      case FrameReader::Event::fault:
        return {Event::fault, result.used};
    }
  }
  return {Event::held_up, result.used};
}

void ToClient::on_header(Allowance& allowance) {
  const websocket::FrameHeader& header = reader_.header();
  if (!header.fin && header.payload_size < kSmallFragment) --allowance.messages;
  if (header.opcode == Opcode::continuation) return;
  message_bytes_ = 0;
  in_message_ = true;
  mode_ = settings_.compression ? Mode::hold : Mode::pass;
}

void ToClient::on_payload(const FrameReader::Step& step, base::ByteQueue& out) {
  message_bytes_ += step.payload.size();
  switch (mode_) {
    case Mode::pass:
      pass(step, out);
      if (observed_) observe(step);
      if (step.message_complete) {
        meter_.on_message(Leg::client, reader_.message_type(), false, message_bytes_);
      }
      break;
    case Mode::hold:
      hold(step, out);
      break;
    case Mode::compress:
      stream_compressed(step.payload, step.message_complete, out);
      break;
  }
  if (step.message_complete) message_begun_ = in_message_ = false;
}

void ToClient::pass(const FrameReader::Step& step, base::ByteQueue& out) {
  // A frame of which only a part has come goes on as a fragment, so that the client leg is always
  // between two frames: a close frame fits there even when the app dies inside one of its own.
  append_frame({.fin = step.message_complete,
                .opcode = message_begun_ ? Opcode::continuation : reader_.message_type()},
               step.payload, out);
  message_begun_ = true;
}

void ToClient::observe(const FrameReader::Step& step) {
  const auto observation = observed_->on_piece(step.payload, step.message_complete, workshop_.nanoseconds);
  if (observation) meter_.on_observed(*observation);
}

void ToClient::hold(const FrameReader::Step& step, base::ByteQueue& out) {
  if (message_bytes_ > kWholeMessage) {
    begin_large(step, out);
    return;
  }
  if (!step.message_complete) {
    held_.append(step.payload);
  } else if (held_.empty()) {
    send_whole(step.payload, out);  // it came in one piece: nothing is copied
  } else {
    held_.append(step.payload);
    send_whole(held_.view(), out);
    held_.release();
  }
}

void ToClient::send_whole(base::Bytes text, base::ByteQueue& out) {
  const std::uint64_t begun = workshop_.nanoseconds();
  const auto outcome = compressor_->compress(text, workshop_.packed);
  const std::uint64_t took = workshop_.nanoseconds() - begun;
  const bool compressed = outcome.bypass == deflate::Bypass::none;
  if (!compressed) {
    meter_.on_bypassed(outcome.bypass, took);
  } else if (outcome.is_shared) {
    meter_.on_shared(text.size(), outcome.packed.size());
  } else {
    meter_.on_compressed(text.size(), outcome.packed.size(), took);
  }
  append_frame({.rsv1 = compressed, .opcode = reader_.message_type()}, compressed ? outcome.packed : text,
               out);
  workshop_.packed.clear();
  meter_.on_message(Leg::client, reader_.message_type(), compressed, text.size());
}

void ToClient::begin_large(const FrameReader::Step& step, base::ByteQueue& out) {
  const base::Bytes sample = held_.size() >= step.payload.size() ? held_.view() : step.payload;
  const deflate::Bypass bypass = compressor_->begin(sample, message_bytes_, encoder_);
  if (bypass != deflate::Bypass::none) {
    meter_.on_bypassed(bypass, 0);
    mode_ = Mode::pass;
    held_.append(step.payload);
    append_frame({.fin = step.message_complete, .opcode = reader_.message_type()}, held_.view(), out);
    message_begun_ = true;
    if (step.message_complete) {
      meter_.on_message(Leg::client, reader_.message_type(), false, message_bytes_);
    }
  } else {
    mode_ = Mode::compress;
    packed_bytes_ = 0;
    stream_compressed(held_.view(), false, out);
    stream_compressed(step.payload, step.message_complete, out);
  }
  held_.release();
}

void ToClient::stream_compressed(base::Bytes text, bool message_complete, base::ByteQueue& out) {
  base::ByteQueue& packed = workshop_.packed;
  const std::uint64_t begun = workshop_.nanoseconds();
  encoder_->write(text, packed);
  if (message_complete) encoder_->finish(packed);
  meter_.on_compressed(text.size(), packed.size(), workshop_.nanoseconds() - begun);
  packed_bytes_ += packed.size();
  if (!packed.empty() || message_complete) {
    append_frame({.fin = message_complete,
                  .rsv1 = !message_begun_,
                  .opcode = message_begun_ ? Opcode::continuation : reader_.message_type()},
                 packed.view(), out);
    message_begun_ = true;
  }
  packed.clear();
  if (!message_complete) return;
  encoder_.reset();
  compressor_->record(message_bytes_, packed_bytes_);
  meter_.on_message(Leg::client, reader_.message_type(), true, message_bytes_);
}

void ToClient::drop_message() {
  encoder_.reset();
  held_.release();
}

}  // namespace wsproxy::relay
