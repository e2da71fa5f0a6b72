#pragma once

#include <memory>

#include "base/bytes.hpp"

namespace wsproxy::base {

/// Bytes appended at the back and consumed at the front, always contiguous.
/// Serves as a worker's scratch output (cleared after each event, memory kept) and as what a
/// connection could not write at once (released when empty). Memory grows by doubling and is not
/// zeroed. Move-only; not thread-safe. Views are valid until the next non-const call.
class ByteQueue {
 public:
  ByteQueue() = default;
  ByteQueue(ByteQueue&& other) noexcept;
  ByteQueue& operator=(ByteQueue&& other) noexcept;
  ~ByteQueue() = default;

  Bytes view() const { return {data_.get() + begin_, end_ - begin_}; }
  MutableBytes mutable_view() { return {data_.get() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  /// Bytes of memory held.
  std::size_t capacity() const { return capacity_; }

  /// `bytes` must not point into this queue.
  void append(Bytes bytes);
  void append(std::byte byte) { append(Bytes{&byte, 1}); }

  /// Room for at least `size` more bytes at the back, to be filled and then kept by commit().
  MutableBytes prepare(std::size_t size);
  void commit(std::size_t size);

  /// Takes `size` bytes off the front, at most size().
  void consume(std::size_t size);
  /// Takes bytes off the back until `size` are left; `size` is at most size().
  void truncate(std::size_t size);
  /// Empties it and keeps the memory.
  void clear() { begin_ = end_ = 0; }
  /// Empties it and gives the memory back.
  void release();

 private:
  std::unique_ptr<std::byte[]> data_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace wsproxy::base
