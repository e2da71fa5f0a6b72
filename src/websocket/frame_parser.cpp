#include "websocket/frame_parser.hpp"

#include <algorithm>
#include <cstring>

#include "websocket/close_payload.hpp"

namespace wsproxy::websocket {

namespace {

constexpr unsigned kFin = 0x80;
constexpr unsigned kRsv1 = 0x40;
constexpr unsigned kRsv2And3 = 0x30;
constexpr unsigned kOpcodeBits = 0x0F;
constexpr unsigned kMasked = 0x80;
constexpr unsigned kLengthBits = 0x7F;
constexpr unsigned kMediumLength = 126;
constexpr unsigned kLongLength = 127;

unsigned octet(std::byte byte) {
  return std::to_integer<unsigned>(byte);
}

std::size_t length_bytes(std::byte second) {
  const unsigned length = octet(second) & kLengthBits;
  if (length == kLongLength) return 8;
  return length == kMediumLength ? 2 : 0;
}

std::size_t whole_header_size(std::byte second) {
  const bool masked = (octet(second) & kMasked) != 0;
  return 2 + length_bytes(second) + (masked ? std::tuple_size_v<MaskKey> : 0);
}

Fault check_first(std::byte byte) {
  const unsigned first = octet(byte);
  if ((first & kRsv2And3) != 0) return Fault::reserved_bits;
  const auto opcode = static_cast<std::uint8_t>(first & kOpcodeBits);
  if (!is_known_opcode(opcode)) return Fault::reserved_opcode;
  if (!is_control(Opcode{opcode})) return Fault::none;
  if ((first & kFin) == 0) return Fault::control_fragmented;
  return (first & kRsv1) != 0 ? Fault::rsv1_on_control : Fault::none;
}

Fault check_second(std::byte first, std::byte byte, Sender sender) {
  const unsigned second = octet(byte);
  const bool masked = (second & kMasked) != 0;
  if (!masked && sender == Sender::client) return Fault::unmasked_client_frame;
  if (masked && sender == Sender::server) return Fault::masked_server_frame;
  const auto opcode = static_cast<std::uint8_t>(octet(first) & kOpcodeBits);
  const bool too_long = (second & kLengthBits) > kMaxControlPayload;
  return is_control(Opcode{opcode}) && too_long ? Fault::control_too_long : Fault::none;
}

/// `bytes` are the first of a header, at least two. The top bit shows before the rest has come.
Fault check_length(base::Bytes bytes) {
  const std::size_t form = length_bytes(bytes[1]);
  if (form == 8 && bytes.size() > 2 && (octet(bytes[2]) & 0x80U) != 0) return Fault::length_top_bit;
  if (bytes.size() < 2 + form) return Fault::none;
  if (form == 2 && base::load_be16(&bytes[2]) < kMediumLength) return Fault::length_not_minimal;
  if (form == 8 && base::load_be64(&bytes[2]) <= 0xFFFF) return Fault::length_not_minimal;
  return Fault::none;
}

/// What is wrong with the first bytes of a header, in the order of the bytes that show it, so that the
/// answer is the same however the input was cut.
Fault check_so_far(base::Bytes bytes, Sender sender) {
  if (bytes.empty()) return Fault::none;
  if (const Fault fault = check_first(bytes[0]); fault != Fault::none) return fault;
  if (bytes.size() < 2) return Fault::none;
  if (const Fault fault = check_second(bytes[0], bytes[1], sender); fault != Fault::none) return fault;
  return check_length(bytes);
}

std::uint64_t payload_size(const std::byte* header) {
  switch (length_bytes(header[1])) {
    case 8:
      return base::load_be64(header + 2);
    case 2:
      return base::load_be16(header + 2);
    default:
      return octet(header[1]) & kLengthBits;
  }
}

FrameHeader decode(const std::byte* bytes) {
  const unsigned first = octet(bytes[0]);
  FrameHeader header;
  header.fin = (first & kFin) != 0;
  header.rsv1 = (first & kRsv1) != 0;
  header.opcode = Opcode{static_cast<std::uint8_t>(first & kOpcodeBits)};
  header.masked = (octet(bytes[1]) & kMasked) != 0;
  header.payload_size = payload_size(bytes);
  if (header.masked) {
    std::memcpy(header.mask_key.data(), bytes + 2 + length_bytes(bytes[1]), header.mask_key.size());
  }
  return header;
}

}  // namespace

FrameParser::Step FrameParser::feed(base::MutableBytes input, std::size_t max_payload) {
  if (fault_ != Fault::none) return {.event = Event::fault};
  return state_ == State::header ? read_header(input) : read_payload(input, max_payload);
}

FrameParser::Step FrameParser::read_header(base::Bytes input) {
  if (header_have_ == 0 && input.size() >= 2 && input.size() >= whole_header_size(input[1])) {
    return finish_header(input.first(whole_header_size(input[1])), whole_header_size(input[1]));
  }
  return collect_header(input);
}

FrameParser::Step FrameParser::collect_header(base::Bytes input) {
  std::size_t used = 0;
  while (true) {
    const base::Bytes have{header_bytes_.data(), header_have_};
    const std::size_t wanted = have.size() < 2 ? 2 : whole_header_size(have[1]);
    if (have.size() == wanted) return finish_header(have, used);
    if (used == input.size()) return {.event = Event::need_more, .used = used};

    const std::size_t size = std::min(wanted - have.size(), input.size() - used);
    std::memcpy(header_bytes_.data() + header_have_, input.data() + used, size);
    header_have_ = static_cast<std::uint8_t>(header_have_ + size);
    used += size;
    if (const Fault fault = check_so_far({header_bytes_.data(), header_have_}, sender_);
        fault != Fault::none) {
      return fail(fault);
    }
  }
}

FrameParser::Step FrameParser::finish_header(base::Bytes bytes, std::size_t used) {
  if (const Fault fault = check_so_far(bytes, sender_); fault != Fault::none) return fail(fault);
  header_ = decode(bytes.data());
  header_have_ = 0;
  payload_done_ = 0;
  state_ = State::payload;
  return {.event = Event::header, .used = used};
}

FrameParser::Step FrameParser::read_payload(base::MutableBytes input, std::size_t max_payload) {
  const std::uint64_t left = header_.payload_size - payload_done_;
  if (left != 0 && input.empty()) return {.event = Event::need_more};

  const std::size_t most = std::min(input.size(), std::max<std::size_t>(max_payload, 1));
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, most));
  const Step step{.event = Event::payload,
                  .used = size,
                  .payload = input.first(size),
                  .offset = payload_done_,
                  .frame_complete = size == left};
  if (header_.masked) apply_mask(step.payload, header_.mask_key, step.offset);
  payload_done_ += size;
  if (step.frame_complete) state_ = State::header;
  return step;
}

FrameParser::Step FrameParser::fail(Fault fault) {
  fault_ = fault;
  return {.event = Event::fault};
}

}  // namespace wsproxy::websocket
