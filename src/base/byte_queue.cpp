#include "base/byte_queue.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <utility>

namespace wsproxy::base {

namespace {
constexpr std::size_t kSmallestCapacity = 64;
}

ByteQueue::ByteQueue(ByteQueue&& other) noexcept
    : data_(std::move(other.data_)),
      begin_(std::exchange(other.begin_, 0)),
      end_(std::exchange(other.end_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {
}

ByteQueue& ByteQueue::operator=(ByteQueue&& other) noexcept {
  if (this == &other) return *this;
  data_ = std::move(other.data_);
  begin_ = std::exchange(other.begin_, 0);
  end_ = std::exchange(other.end_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  return *this;
}

void ByteQueue::append(Bytes bytes) {
  if (bytes.empty()) return;
  std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
  end_ += bytes.size();
}

MutableBytes ByteQueue::prepare(std::size_t size) {
  if (size <= capacity_ - end_) return {data_.get() + end_, capacity_ - end_};

  const std::size_t kept = end_ - begin_;
  // Moving to the front is worth it only when it moves no more than was consumed since the last time;
  // otherwise a full queue that is consumed in small steps would be moved over and over.
  if (kept <= begin_ && size <= capacity_ - kept) {
    std::memmove(data_.get(), data_.get() + begin_, kept);
  } else {
    const std::size_t wanted = std::max({kept + size, capacity_ + 1, kSmallestCapacity});
    const std::size_t grown = std::bit_ceil(wanted);
    auto data = std::make_unique_for_overwrite<std::byte[]>(grown);
    if (kept != 0) std::memcpy(data.get(), data_.get() + begin_, kept);
    data_ = std::move(data);
    capacity_ = grown;
  }
  begin_ = 0;
  end_ = kept;
  return {data_.get() + end_, capacity_ - end_};
}

void ByteQueue::commit(std::size_t size) {
  assert(size <= capacity_ - end_);
  end_ += size;
}

void ByteQueue::consume(std::size_t size) {
  assert(size <= this->size());
  begin_ += size;
  if (begin_ == end_) clear();
}

void ByteQueue::truncate(std::size_t size) {
  assert(size <= this->size());
  end_ = begin_ + size;
}

void ByteQueue::release() {
  data_.reset();
  begin_ = end_ = capacity_ = 0;
}

}  // namespace wsproxy::base
