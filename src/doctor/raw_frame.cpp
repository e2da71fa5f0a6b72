#include "doctor/raw_frame.hpp"

#include <array>

#include "base/bytes.hpp"
#include "websocket/mask.hpp"

namespace wsproxy::doctor {
namespace {

/// Fresh and unpredictable keys protect what lies between a browser and a server from scripts (RFC 6455
/// section 10.3); here nobody else chooses the payload.
constexpr websocket::MaskKey kMaskKey{std::byte{0x37}, std::byte{0xfa}, std::byte{0x21}, std::byte{0x3d}};

std::string head(unsigned first, bool masked, std::uint64_t size, unsigned length_form) {
  if (length_form == 0) length_form = size < 126 ? 7U : size < 65536 ? 16U : 64U;
  const unsigned short_length = length_form == 7    ? static_cast<unsigned>(size)
                                : length_form == 16 ? 126U
                                                    : 127U;
  std::string bytes{static_cast<char>(first), static_cast<char>((masked ? 0x80U : 0U) | short_length)};
  for (unsigned shift = length_form == 7 ? 0 : length_form; shift != 0; shift -= 8) {
    bytes.push_back(static_cast<char>(size >> (shift - 8)));
  }
  if (masked) bytes += base::as_text(kMaskKey);
  return bytes;
}

}  // namespace

std::string frame_bytes(const RawFrame& frame) {
  const unsigned first = (frame.fin ? 0x80U : 0U) | frame.rsv << 4 | frame.opcode;
  std::string bytes = head(first, frame.masked, frame.payload.size(), frame.length_form);
  const std::size_t begin = bytes.size();
  bytes += frame.payload;
  if (frame.masked)
    websocket::apply_mask(std::as_writable_bytes(std::span{bytes}).subspan(begin), kMaskKey, 0);
  return bytes;
}

std::string close_payload(std::uint16_t code, std::string_view reason) {
  std::string payload(2, '\0');
  base::store_be16(std::as_writable_bytes(std::span{payload}).data(), code);
  return payload.append(reason);
}

std::string header_bytes(std::uint64_t payload_size) {
  return head(0x80U | kBinary, true, payload_size, 0);
}

}  // namespace wsproxy::doctor
