#pragma once

#include <cstdint>

namespace wsproxy::websocket {

/// RFC 6455 section 5.2. Values 3-7 and 11-15 are reserved and never held.
enum class Opcode : std::uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xA,
};

constexpr bool is_control(Opcode opcode) {
  return (static_cast<std::uint8_t>(opcode) & 0x8) != 0;
}

/// Whether the four bits on the wire name one of the kinds above.
constexpr bool is_known_opcode(std::uint8_t bits) {
  return bits <= 0x2 || (bits >= 0x8 && bits <= 0xA);
}

}  // namespace wsproxy::websocket
