#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wsproxy::doctor {

/// A frame of any shape, broken ones too: what websocket/ writes is always right.
struct RawFrame {
  unsigned opcode = 1;
  std::string_view payload{};
  bool fin = true;
  unsigned rsv = 0;  // 4: RSV1, 2: RSV2, 1: RSV3
  bool masked = true;
  unsigned length_form = 0;  // 7, 16 or 64 bits; 0: the shortest
};

inline constexpr unsigned kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;
inline constexpr unsigned kRsv1 = 4, kRsv2 = 2, kRsv3 = 1;

std::string frame_bytes(const RawFrame& frame);
/// The payload of a close frame.
std::string close_payload(std::uint16_t code, std::string_view reason = {});
/// Of a masked binary frame; nobody means to send that much.
std::string header_bytes(std::uint64_t payload_size);

}  // namespace wsproxy::doctor
