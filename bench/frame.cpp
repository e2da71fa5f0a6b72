#include "frame.hpp"

namespace bench {
namespace {

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

void append_big_endian(std::string& out, std::uint64_t value, std::size_t width) {
  for (std::size_t i = width; i > 0; --i) out += static_cast<char>(value >> (8 * (i - 1)) & 0xffU);
}

}  // namespace

std::optional<FrameHead> read_head(std::string_view bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  FrameHead head;
  head.is_final = (first & 0x80U) != 0;
  head.is_compressed = (first & 0x40U) != 0;
  head.opcode = static_cast<Opcode>(first & 0x0fU);
  head.is_masked = (second & 0x80U) != 0;
  head.payload_size = second & 0x7fU;
  const std::size_t length_size = head.payload_size == 126 ? 2U : head.payload_size == 127 ? 8U : 0U;
  head.head_size = 2 + length_size + (head.is_masked ? 4U : 0U);
  if (bytes.size() < head.head_size) return std::nullopt;
  if (length_size != 0) head.payload_size = big_endian(bytes.substr(2, length_size));
  if (head.is_masked) bytes.copy(head.key.data(), 4, head.head_size - 4);
  return head;
}

void apply_mask(std::span<char> payload, std::array<char, 4> key) {
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ key[i & 3U]);
}

void append_frame(std::string& out, const FrameHead& head, std::string_view payload) {
  const unsigned mask_bit = head.is_masked ? 0x80U : 0U;
  out += static_cast<char>((head.is_final ? 0x80U : 0U) | (head.is_compressed ? 0x40U : 0U) |
                           static_cast<unsigned>(head.opcode));
  if (payload.size() < 126) {
    out += static_cast<char>(mask_bit | payload.size());
  } else if (payload.size() < 65536) {
    out += static_cast<char>(mask_bit | 126U);
    append_big_endian(out, payload.size(), 2);
  } else {
    out += static_cast<char>(mask_bit | 127U);
    append_big_endian(out, payload.size(), 8);
  }
  if (head.is_masked) out.append(head.key.data(), head.key.size());
  const std::size_t start = out.size();
  out += payload;
  if (head.is_masked) apply_mask(std::span<char>(out).subspan(start), head.key);
}

std::string close_frame() {
  FrameHead head;
  head.opcode = Opcode::close;
  head.is_masked = true;
  std::string frame;
  append_frame(frame, head, std::string_view("\x03\xe8", 2));
  return frame;
}

}  // namespace bench
