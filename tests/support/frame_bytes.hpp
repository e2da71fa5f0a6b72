#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "websocket/mask.hpp"
#include "websocket/opcode.hpp"

namespace wsproxy::test {

inline constexpr websocket::MaskKey kSomeKey{std::byte{0x37}, std::byte{0xfa}, std::byte{0x21},
                                             std::byte{0x3d}};

std::vector<std::byte> to_vector(std::string_view text);

/// The bytes of one frame, legal or not (RFC 6455 section 5.2). Nothing is set that was not asked for;
/// the length is that of the payload in its shortest form unless a form is named.
class FrameBytes {
 public:
  FrameBytes& fin() { return set(0x80); }
  FrameBytes& rsv1() { return set(0x40); }
  FrameBytes& rsv2() { return set(0x20); }
  FrameBytes& rsv3() { return set(0x10); }

  FrameBytes& opcode(unsigned bits) { return set(bits & 0x0FU); }
  FrameBytes& opcode(websocket::Opcode kind) { return opcode(static_cast<unsigned>(kind)); }
  FrameBytes& continuation() { return opcode(websocket::Opcode::continuation); }
  FrameBytes& text() { return opcode(websocket::Opcode::text); }
  FrameBytes& binary() { return opcode(websocket::Opcode::binary); }
  FrameBytes& close() { return opcode(websocket::Opcode::close); }
  FrameBytes& ping() { return opcode(websocket::Opcode::ping); }
  FrameBytes& pong() { return opcode(websocket::Opcode::pong); }

  FrameBytes& masked(websocket::MaskKey key = kSomeKey);

  /// The length that the header claims, and how it is written; the payload may be another.
  FrameBytes& length7(unsigned length);
  FrameBytes& length16(std::uint64_t length) { return claim(Form::medium, length); }
  FrameBytes& length64(std::uint64_t length) { return claim(Form::large, length); }

  FrameBytes& payload(std::string_view text);
  FrameBytes& payload(std::vector<std::byte> bytes);

  std::vector<std::byte> build() const;

 private:
  enum class Form : std::uint8_t { shortest, small, medium, large };

  FrameBytes& set(unsigned bits);
  FrameBytes& claim(Form form, std::uint64_t length);
  Form form() const;

  unsigned first_ = 0;
  std::optional<websocket::MaskKey> key_;
  Form form_ = Form::shortest;
  std::uint64_t length_ = 0;
  std::vector<std::byte> payload_;
};

}  // namespace wsproxy::test
