#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/byte_queue.hpp"
#include "deflate/codecs.hpp"
#include "deflate/compressor.hpp"
#include "deflate/negotiation.hpp"
#include "websocket/mask_keys.hpp"

namespace wsproxy::relay {

/// What the client and the proxy agreed on, and how the operator wants it used.
struct CompressionSettings {
  deflate::Params params;
  deflate::CompressorSettings sending;  // its window and takeover are those of the params
};

struct Settings {
  std::uint64_t max_message_bytes = 0;  // of the client's messages, inflated; 0: no limit
  std::uint16_t lost_code = 1011;
  bool validate_utf8 = true;  // of the client's text that comes uncompressed; what was inflated always is
  std::optional<CompressionSettings> compression;  // nothing when no extension was agreed
  /// How the app's messages are observed (compression.mode), which go as they are.
  std::optional<deflate::ObserverSettings> observing;
};

/// What a worker lends to the relays of its connections, one at a time. Outlives them.
struct Workshop {
  deflate::Codecs& codecs;
  websocket::MaskKeys& mask_keys;
  base::ByteQueue& text;           // scratch for inflated text; empty between calls
  base::ByteQueue& packed;         // scratch for compressed bytes; empty between calls
  std::uint64_t (*nanoseconds)();  // a monotonic clock, to tell what compression costs
};

/// A message up to this size is compressed, or inflated, whole and leaves as one frame; a larger one
/// streams in fragments, so that it costs no more memory than a small one.
inline constexpr std::size_t kWholeMessage = 64 * 1024;

/// By how much a call may exceed the room it was given: one chunk, what the encoder had held back of the
/// chunk before, by how much both may grow, and a few headers and control frames.
inline constexpr std::size_t kRoomOvershoot = kWholeMessage + 48 * 1024;

}  // namespace wsproxy::relay
