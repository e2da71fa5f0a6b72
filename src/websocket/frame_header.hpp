#pragma once

#include "base/byte_queue.hpp"
#include "websocket/mask.hpp"
#include "websocket/opcode.hpp"

namespace wsproxy::websocket {

/// RFC 6455 section 5.2.
struct FrameHeader {
  bool fin = true;
  bool rsv1 = false;
  Opcode opcode = Opcode::text;
  bool masked = false;
  MaskKey mask_key{};
  std::uint64_t payload_size = 0;
};

inline constexpr std::size_t kMaxHeaderSize = 14;

/// How long the shortest form of it is, 2 to 14.
std::size_t header_size(const FrameHeader& header);

/// Writes the shortest form to `to`, which has kMaxHeaderSize bytes; returns how many it used, 2 to 14.
std::size_t write_header(const FrameHeader& header, std::byte* to);
void append_header(const FrameHeader& header, base::ByteQueue& to);

/// A whole frame; masks while copying when `header.masked`. payload_size is taken from `payload`.
void append_frame(FrameHeader header, base::Bytes payload, base::ByteQueue& to);

}  // namespace wsproxy::websocket
