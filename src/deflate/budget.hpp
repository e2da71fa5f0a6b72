#pragma once

#include <cstddef>

namespace wsproxy::deflate {

/// Counts the bytes that live streams, histories and cached frames of one worker hold against its share of
/// compression.memory. It never makes a message fail: what must be kept is kept (reserve), what may be
/// forgotten asks first (try_reserve).
class Budget {
 public:
  /// Gives up what can be had again, when there are not so many bytes free. Asked before anything is
  /// refused, and never from within itself.
  class Relief {
   public:
    virtual ~Relief() = default;
    virtual void make_room(std::size_t bytes) = 0;
  };

  explicit Budget(std::size_t limit_bytes) : limit_(limit_bytes) {}
  void set_relief(Relief* relief) { relief_ = relief; }

  bool try_reserve(std::size_t bytes) {
    if (bytes > free()) ask(bytes);
    if (bytes > free()) return false;
    used_ += bytes;
    return true;
  }
  void reserve(std::size_t bytes) {
    if (bytes > free()) ask(bytes);
    used_ += bytes;
  }
  void release(std::size_t bytes) { used_ -= bytes; }
  std::size_t used() const { return used_; }
  std::size_t limit() const { return limit_; }
  /// What try_reserve may still take; 0 when what had to be kept went over the limit.
  std::size_t free() const { return used_ < limit_ ? limit_ - used_ : 0; }

 private:
  void ask(std::size_t bytes) {
    Relief* const relief = relief_;
    if (relief == nullptr) return;
    relief_ = nullptr;
    relief->make_room(bytes);
    relief_ = relief;
  }

  std::size_t limit_;
  std::size_t used_ = 0;
  Relief* relief_ = nullptr;
};

}  // namespace wsproxy::deflate
