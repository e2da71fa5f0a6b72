#pragma once

#include <cstddef>

namespace wsproxy::deflate {

/// Counts the bytes that live streams, histories and pending messages of one worker hold against its
/// share of compression.memory. It never makes a message fail: what must be kept is kept (reserve),
/// what may be forgotten asks first (try_reserve).
class Budget {
 public:
  explicit Budget(std::size_t limit_bytes) : limit_(limit_bytes) {}
  bool try_reserve(std::size_t bytes) {
    if (bytes > free()) return false;
    used_ += bytes;
    return true;
  }
  void reserve(std::size_t bytes) { used_ += bytes; }
  void release(std::size_t bytes) { used_ -= bytes; }
  std::size_t used() const { return used_; }
  /// What try_reserve may still take; 0 when what had to be kept went over the limit.
  std::size_t free() const { return used_ < limit_ ? limit_ - used_ : 0; }

 private:
  std::size_t limit_;
  std::size_t used_ = 0;
};

}  // namespace wsproxy::deflate
