#pragma once

#include <cstdint>
#include <memory>

#include "base/byte_queue.hpp"
#include "deflate/budget.hpp"
#include "deflate/method.hpp"

namespace wsproxy::deflate {

/// What a live encoder is made for.
struct EncoderShape {
  Method method;
  std::uint8_t window_bits = 15;  // 8..15: no distance in its output is longer than such a window
  bool operator==(const EncoderShape&) const = default;
};

/// One raw deflate stream of either engine. Between two messages it stands at the text it was primed
/// with and has compressed since. Its memory is charged to the budget, which outlives it.
class LiveEncoder {
 public:
  /// What is to be out when run() returns.
  enum class Flush : std::uint8_t {
    none,
    sync,  // all of the text, and then the tail 00 00 ff ff
  };

  LiveEncoder() = default;
  virtual ~LiveEncoder() = default;
  LiveEncoder(const LiveEncoder&) = delete;
  LiveEncoder& operator=(const LiveEncoder&) = delete;

  /// Forgets all and stands behind `past`.
  virtual void prime(base::Bytes past) = 0;
  /// Appends to `out`. False when `limit` bytes came out, which may not be all: the stream is then of no
  /// use before prime().
  virtual bool run(base::Bytes text, Flush flush, base::ByteQueue& out, std::size_t limit) = 0;
};

/// Throws std::bad_alloc, and nothing else.
std::unique_ptr<LiveEncoder> make_live_encoder(EncoderShape shape, Budget& budget);

/// What such an encoder takes at most, in bytes.
std::size_t memory_of(EncoderShape shape);

}  // namespace wsproxy::deflate
