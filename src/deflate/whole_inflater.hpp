#pragma once

#include <cstddef>
#include <optional>

#include "base/bytes.hpp"

namespace wsproxy::deflate {

/// Inflates messages that are there from their first byte to their last, faster than zlib. It is no judge:
/// whatever is unusual is left to zlib.
class WholeInflater {
 public:
  virtual ~WholeInflater() = default;
  /// How many bytes of text are in `room` now, fewer than it has, or nothing on any surprise: a block with
  /// BFINAL set, codes that zlib may refuse, an end inside a block, a distance too far, too much text.
  /// `past` is what the message may refer back to, at most 32 KiB.
  virtual std::optional<std::size_t> inflate(base::Bytes past, base::Bytes packed,
                                             base::MutableBytes room) = 0;
};

}  // namespace wsproxy::deflate
