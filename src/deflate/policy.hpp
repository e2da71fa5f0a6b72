#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace wsproxy::deflate {

/// Why a message went raw; telemetry::kBypassNames has their names in this order.
enum class Bypass : std::uint8_t {
  none,            // compress it
  too_small,       // under compression.min_size
  incompressible,  // the payload looks random
  stream,          // this connection's messages have not been shrinking
  no_gain,         // it was tried and did not shrink
  keeps_shared,    // a small private message between shared ones, which keeps histories equal
  memory,          // compression.memory is used up
};
inline constexpr std::size_t kBypassCount = 7;

/// 78 or more distinct bytes among 128 sampled at an odd stride. Never true under 256 bytes.
bool looks_incompressible(base::Bytes text);

/// One connection's memory of how well it compresses. A few bytes; one worker.
class CompressionPolicy {
 public:
  /// One that is not adaptive goes by the size alone (compression.min_size, compression.adaptive).
  explicit CompressionPolicy(std::size_t min_size, bool is_adaptive = true)
      : min_size_(min_size), is_adaptive_(is_adaptive) {}

  /// Decides before compressing. `text` is the message, or a piece of one that has at least `size` bytes.
  Bypass decide(base::Bytes text, std::uint64_t size);
  Bypass decide(base::Bytes text) { return decide(text, text.size()); }
  /// Tells how it went: bytes in and out of a message that was compressed, or tried (out >= in).
  void record(std::size_t input, std::size_t output);

 private:
  std::size_t min_size_;
  bool is_adaptive_;
  std::uint8_t poor_in_a_row_ = 0;  // messages that shrank by less than 5 %
  std::uint8_t skipped_ = 0;        // since the last probe
};

}  // namespace wsproxy::deflate
