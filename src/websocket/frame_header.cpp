#include "websocket/frame_header.hpp"

#include <cstring>

namespace wsproxy::websocket {

namespace {

constexpr std::uint64_t kLargestShortLength = 125;
constexpr std::uint64_t kLargestMediumLength = 0xFFFF;

}  // namespace

std::size_t header_size(const FrameHeader& header) {
  const bool is_short = header.payload_size <= kLargestShortLength;
  const std::size_t extended = is_short ? 0 : header.payload_size <= kLargestMediumLength ? 2 : 8;
  return 2 + extended + (header.masked ? header.mask_key.size() : 0);
}

std::size_t write_header(const FrameHeader& header, std::byte* to) {
  const unsigned flags = (header.fin ? 0x80U : 0U) | (header.rsv1 ? 0x40U : 0U);
  const unsigned mask_bit = header.masked ? 0x80U : 0U;
  to[0] = static_cast<std::byte>(flags | static_cast<unsigned>(header.opcode));

  std::size_t used = 2;
  if (header.payload_size <= kLargestShortLength) {
    to[1] = static_cast<std::byte>(mask_bit | header.payload_size);
  } else if (header.payload_size <= kLargestMediumLength) {
    to[1] = static_cast<std::byte>(mask_bit | 126U);
    base::store_be16(to + used, static_cast<std::uint16_t>(header.payload_size));
    used += 2;
  } else {
    to[1] = static_cast<std::byte>(mask_bit | 127U);
    base::store_be64(to + used, header.payload_size);
    used += 8;
  }
  if (!header.masked) return used;
  std::memcpy(to + used, header.mask_key.data(), header.mask_key.size());
  return used + header.mask_key.size();
}

void append_header(const FrameHeader& header, base::ByteQueue& to) {
  to.commit(write_header(header, to.prepare(kMaxHeaderSize).data()));
}

void append_frame(FrameHeader header, base::Bytes payload, base::ByteQueue& to) {
  header.payload_size = payload.size();
  if (!header.masked) {
    append_header(header, to);
    to.append(payload);
    return;
  }
  std::byte* const frame = to.prepare(kMaxHeaderSize + payload.size()).data();
  const std::size_t used = write_header(header, frame);
  apply_mask(payload, frame + used, header.mask_key, 0);
  to.commit(used + payload.size());
}

}  // namespace wsproxy::websocket
