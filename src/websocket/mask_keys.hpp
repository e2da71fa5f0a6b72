#pragma once

#include <array>

#include "websocket/mask.hpp"

namespace wsproxy::websocket {

/// Masking keys for the app leg, unpredictable as RFC 6455 section 10.3 asks. Randomness is an
/// argument: `refill` fills the whole span it is given. Taken in blocks, since a call a frame would
/// cost more than the masking. One worker, one thread.
class MaskKeys {
 public:
  using Refill = void (*)(base::MutableBytes);
  explicit MaskKeys(Refill refill) : refill_(refill) {}
  MaskKey next();

 private:
  Refill refill_;
  std::array<std::byte, 1024> block_{};
  std::size_t used_ = block_.size();
};

}  // namespace wsproxy::websocket
