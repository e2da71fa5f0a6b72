#include "websocket/mask_keys.hpp"

#include <cstring>

namespace wsproxy::websocket {

MaskKey MaskKeys::next() {
  if (used_ == block_.size()) {
    refill_(block_);
    used_ = 0;
  }
  MaskKey key;
  std::memcpy(key.data(), block_.data() + used_, key.size());
  used_ += key.size();
  return key;
}

}  // namespace wsproxy::websocket
