#include "relay/to_app.hpp"

#include <algorithm>
#include <cstring>

namespace wsproxy::relay {

using websocket::append_frame;
using websocket::append_header;
using websocket::Fault;
using websocket::FrameHeader;
using websocket::Opcode;

ToApp::ToApp(const Settings& settings, Workshop& workshop, Meter& meter)
    : settings_(settings),
      workshop_(workshop),
      meter_(meter),
      reader_(websocket::Sender::client, settings.compression.has_value()) {
  if (settings.compression && !settings.compression->params.client_no_context_takeover) {
    history_.emplace(std::size_t{1} << settings.compression->params.client_window_bits,
                     deflate::History::Keep::must_keep, workshop.codecs.shelf);
  }
}

std::size_t ToApp::Output::most_payload() const {
  const auto allowed = static_cast<std::uint64_t>(allowance.bytes);
  return static_cast<std::size_t>(std::min<std::uint64_t>(room - queue.size(), allowed));
}

ToApp::Result ToApp::feed(base::MutableBytes input, base::ByteQueue& to_app, std::size_t room,
                          Allowance& allowance, bool discard) {
  if (discard) drop_message();
  Output out{to_app, room, allowance};
  Result result;
  if (is_stalled() && !allowance.is_used_up()) {
    base::ByteQueue packed = std::move(stalled_);
    inflating_ = Inflating::yes;
    reader_.fail(inflate(packed.view(), stalled_complete_, out));
  }
  while (fault() == Fault::none) {
    if (is_stalled() || out.is_full()) return {Event::held_up, result.used};
    const FrameReader::Step step = reader_.next(input.subspan(result.used), out.most_payload());
    result.used += step.used;
    switch (step.event) {
      case FrameReader::Event::need_more:
        return result;
      case FrameReader::Event::header:
        if (!discard) reader_.fail(on_header(allowance));
        break;
      case FrameReader::Event::payload:
        if (!discard) reader_.fail(on_payload(step, out));
        break;
      case FrameReader::Event::control:
        --allowance.control_frames;
        if (!discard) pass_control(step.payload, out);
        break;
      case FrameReader::Event::close:
        return {Event::close, result.used};
      case FrameReader::Event::fault:
        break;
    }
  }
  drop_message();  // nothing will end it, and the peer may take its time to close
  return {Event::fault, result.used};
}

Fault ToApp::on_header(Allowance& allowance) {
  const FrameHeader& header = reader_.header();
  allowance.bytes -= static_cast<std::int64_t>(header_size(header));
  if (!header.fin && header.payload_size < kSmallFragment) --allowance.messages;
  if (header.opcode != Opcode::continuation) {
    message_bytes_ = 0;
    utf8_.reset();
    fragment_sent_ = false;
    if (reader_.is_compressed()) inflating_ = Inflating::yes;
  }
  if (reader_.is_compressed() || settings_.max_message_bytes == 0) return Fault::none;
  // Judged before one byte of it is looked at; a compressed frame is judged by what comes out of it.
  return header.payload_size > settings_.max_message_bytes - message_bytes_ ? Fault::message_too_big
                                                                            : Fault::none;
}

void ToApp::pass_control(base::Bytes payload, Output& out) {
  const Opcode opcode = reader_.header().opcode;
  if (opcode == Opcode::pong && expected_pong_ && std::ranges::equal(payload, *expected_pong_)) {
    expected_pong_.reset();
    return;
  }
  append_frame({.opcode = opcode, .masked = true, .mask_key = workshop_.mask_keys.next()}, payload,
               out.queue);
}

Fault ToApp::on_payload(const FrameReader::Step& step, Output& out) {
  return reader_.is_compressed() ? inflate(step.payload, step.message_complete, out) : pass(step, out);
}

Fault ToApp::pass(const FrameReader::Step& step, Output& out) {
  if (const Fault fault = accept_text(step.payload, step.message_complete); fault != Fault::none)
    return fault;
  message_bytes_ += step.payload.size();
  out.allowance.bytes -= static_cast<std::int64_t>(step.payload.size());
  if (step.offset == 0) {
    const FrameHeader& header = reader_.header();
    out_key_ = workshop_.mask_keys.next();
    append_header({.fin = header.fin,
                   .opcode = header.opcode,
                   .masked = true,
                   .mask_key = out_key_,
                   .payload_size = header.payload_size},
                  out.queue);
  }
  websocket::apply_mask(step.payload, out.queue.prepare(step.payload.size()).data(), out_key_, step.offset);
  out.queue.commit(step.payload.size());
  streaming_ = !step.frame_complete;
  if (step.message_complete) end_message(out.allowance);
  return Fault::none;
}

Fault ToApp::inflate(base::Bytes packed, bool message_complete, Output& out) {
  // A message that begins and ends within one read is inflated in the worker's scratch and costs the
  // connection no memory; an unfinished one moves to held_.
  const bool on_scratch = held_.empty();
  base::ByteQueue& text = on_scratch ? workshop_.text : held_;
  Fault fault = Fault::none;
  if (decoder_ || !message_complete || !inflate_whole(packed, text, fault, out)) {
    if (!decoder_) {
      decoder_.emplace(
          workshop_.codecs.decoders.begin(settings_.compression->params.client_window_bits, history()));
    }
    fault = drain_decoder(packed, message_complete, text, out);
  }
  if (on_scratch) {
    if (fault == Fault::none && inflating_ != Inflating::no) held_.append(text.view());
    text.clear();
  } else if (held_.empty()) {
    held_.release();
  }
  return fault;
}

/// False when it has to be inflated the long way, from its beginning.
bool ToApp::inflate_whole(base::Bytes packed, base::ByteQueue& text, Fault& fault, Output& out) {
  // What has more is hardly a message up to kWholeMessage.
  if (packed.size() < deflate::DecoderPool::kLeastWhole || packed.size() > kWholeMessage / 2) return false;
  const std::uint64_t begun = workshop_.nanoseconds();
  const bool done = workshop_.codecs.decoders.inflate_whole(settings_.compression->params.client_window_bits,
                                                            history(), packed, text, most_text(0));
  meter_.on_inflated(workshop_.nanoseconds() - begun);
  if (!done) return false;
  message_bytes_ = text.size();
  out.allowance.bytes -= static_cast<std::int64_t>(text.size());
  fault = accept_text(text.view(), true);
  if (fault == Fault::none) {
    send_fragment(text, true, out);
    end_message(out.allowance);
  }
  return true;
}

std::size_t ToApp::most_text(std::size_t held) const {
  const std::size_t most = kWholeMessage + 1 - held;  // that one more tells a larger message from a whole
  if (settings_.max_message_bytes == 0) return most;
  // One byte more than allowed is enough to know.
  const std::uint64_t left = settings_.max_message_bytes - message_bytes_;
  return left < most ? static_cast<std::size_t>(left) + 1 : most;
}

deflate::History* ToApp::history() {
  return history_ ? &*history_ : nullptr;
}

Fault ToApp::drain_decoder(base::Bytes& packed, bool message_complete, base::ByteQueue& text, Output& out) {
  for (;;) {
    const std::size_t most = most_text(text.size());
    const std::size_t before = text.size();
    const std::uint64_t begun = workshop_.nanoseconds();
    deflate::DecodeStatus status = decoder_->write(packed, text, most);
    if (status == deflate::DecodeStatus::needs_input && message_complete && text.size() - before < most) {
      status = decoder_->finish(text, most - (text.size() - before));
    }
    meter_.on_inflated(workshop_.nanoseconds() - begun);
    const base::Bytes fresh = text.view().subspan(before);
    message_bytes_ += fresh.size();
    out.allowance.bytes -= static_cast<std::int64_t>(fresh.size());
    if (settings_.max_message_bytes != 0 && message_bytes_ > settings_.max_message_bytes)
      return Fault::message_too_big;
    const bool ended = status == deflate::DecodeStatus::message_end;
    if (const Fault fault = accept_text(fresh, ended); fault != Fault::none) return fault;
    // Last: what came out before the corrupt place is judged the same however the input was cut.
    if (status == deflate::DecodeStatus::corrupt) return Fault::corrupt_deflate;
    if (ended) {
      send_fragment(text, true, out);
      end_message(out.allowance);
      return Fault::none;
    }
    const bool full = text.size() > kWholeMessage;
    if (full) send_fragment(text, false, out);
    if (status == deflate::DecodeStatus::needs_input && !message_complete) return Fault::none;
    if (full && out.is_full()) {
      stall(packed, message_complete);
      return Fault::none;
    }
  }
}

Fault ToApp::accept_text(base::Bytes fresh, bool may_end_here) {
  // What the proxy has inflated is its own word to the app; what it hands on as it came the app can check.
  const bool is_checked = settings_.validate_utf8 || reader_.is_compressed();
  if (reader_.message_type() != Opcode::text || !is_checked) return Fault::none;
  if (!utf8_.write(fresh)) return Fault::invalid_utf8;
  return may_end_here && !utf8_.may_end() ? Fault::invalid_utf8 : Fault::none;
}

void ToApp::send_fragment(base::ByteQueue& text, bool fin, Output& out) {
  append_frame({.fin = fin,
                .opcode = fragment_sent_ ? Opcode::continuation : reader_.message_type(),
                .masked = true,
                .mask_key = workshop_.mask_keys.next()},
               text.view(), out.queue);
  fragment_sent_ = true;
  text.clear();
}

void ToApp::end_message(Allowance& allowance) {
  --allowance.messages;
  meter_.on_message(Leg::app, reader_.message_type(), reader_.is_compressed(), message_bytes_);
  inflating_ = Inflating::no;
  decoder_.reset();
}

void ToApp::drop_message() {
  inflating_ = Inflating::no;
  decoder_.reset();
  held_.release();
  stalled_.release();
}

void ToApp::stall(base::Bytes packed, bool message_complete) {
  base::ByteQueue rest;
  rest.append(packed);
  stalled_ = std::move(rest);
  stalled_complete_ = message_complete;
  inflating_ = Inflating::stalled;
}

}  // namespace wsproxy::relay
