#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bench {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

inline bool is_control(Opcode opcode) {
  return static_cast<std::uint8_t>(opcode) >= 8;
}

/// What stands before a frame's payload (RFC 6455 section 5.2).
struct FrameHead {
  bool is_final = true;
  bool is_compressed = false;  // RSV1
  Opcode opcode = Opcode::text;
  bool is_masked = false;
  std::array<char, 4> key{};
  std::uint64_t payload_size = 0;
  std::size_t head_size = 0;  // of the head itself
};

/// Nothing while the head is incomplete.
std::optional<FrameHead> read_head(std::string_view bytes);

void apply_mask(std::span<char> payload, std::array<char, 4> key);

/// Writes a frame with this head; the sizes in it are ignored, the payload has its own.
void append_frame(std::string& out, const FrameHead& head, std::string_view payload);

/// A client's close frame with code 1000.
std::string close_frame();

/// Cuts what a socket yields into whole frames.
class FrameReader {
 public:
  /// Calls on_frame(head, payload) for every frame that is complete now. Payloads are unmasked in
  /// place and valid during the call.
  template <class OnFrame>
  void feed(std::span<char> bytes, OnFrame&& on_frame) {
    if (kept_.empty()) {
      const std::size_t used = cut(bytes, on_frame);
      kept_.assign(bytes.data() + used, bytes.size() - used);
      return;
    }
    kept_.append(bytes.data(), bytes.size());
    kept_.erase(0, cut(kept_, on_frame));
  }

 private:
  template <class OnFrame>
  static std::size_t cut(std::span<char> bytes, OnFrame& on_frame) {
    std::size_t used = 0;
    for (;;) {
      const auto head = read_head({bytes.data() + used, bytes.size() - used});
      if (!head || bytes.size() - used - head->head_size < head->payload_size) return used;
      const auto payload = bytes.subspan(used + head->head_size, head->payload_size);
      if (head->is_masked) apply_mask(payload, head->key);
      used += head->head_size + payload.size();
      on_frame(*head, std::string_view(payload.data(), payload.size()));
    }
  }

  std::string kept_;  // the start of a frame whose end has not come
};

}  // namespace bench
