#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/byte_queue.hpp"
#include "deflate/budget.hpp"
#include "deflate/decoder.hpp"
#include "deflate/encoder.hpp"
#include "deflate/governor.hpp"
#include "deflate/negotiation.hpp"
#include "websocket/mask_keys.hpp"

namespace wsproxy::relay {

/// What the client and the proxy agreed on, and how the operator wants it used.
struct CompressionSettings {
  deflate::Params params;
  deflate::EngineChoice engine = deflate::EngineChoice::automatic;
  std::uint8_t level = 6;
  std::size_t history_bytes = 4096;  // how far back the proxy refers at most; the agreed window bounds it
  std::size_t min_size = 32;
  bool is_adaptive = true;
  bool is_history_auto = false;  // it grows up to history_bytes while that pays
};

struct Settings {
  std::uint64_t max_message_bytes = 0;  // of the client's messages, inflated; 0: no limit
  std::uint16_t lost_code = 1011;
  bool validate_utf8 = true;  // of the client's text that comes uncompressed; what was inflated always is
  std::optional<CompressionSettings> compression;  // nothing when no extension was agreed
};

/// What a worker lends to the relays of its connections, one at a time. Outlives them.
struct Workshop {
  deflate::Budget& budget;
  deflate::EncoderPool& encoders;
  deflate::DecoderPool& decoders;
  websocket::MaskKeys& mask_keys;
  base::ByteQueue& text;              // scratch for inflated text; empty between calls
  base::ByteQueue& packed;            // scratch for compressed bytes; empty between calls
  std::uint64_t (*nanoseconds)();     // a monotonic clock, to tell what compression costs
  const deflate::Governor& governor;  // caps the level of what is adaptive
};

/// A message up to this size is compressed, or inflated, whole and leaves as one frame; a larger one
/// streams in fragments, so that it costs no more memory than a small one.
inline constexpr std::size_t kWholeMessage = 64 * 1024;

/// By how much a call may exceed the room it was given: one chunk, what the encoder had held back of the
/// chunk before, by how much both may grow, and a few headers and control frames.
inline constexpr std::size_t kRoomOvershoot = kWholeMessage + 48 * 1024;

}  // namespace wsproxy::relay
