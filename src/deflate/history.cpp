#include "deflate/history.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace wsproxy::deflate {
namespace {

constexpr std::size_t kMaxReach = 32768;
constexpr std::size_t kFirstCapacity = 256;

}  // namespace

History::History(std::size_t reach, Keep keep, Budget& budget)
    : budget_(&budget), reach_(static_cast<std::uint32_t>(std::min(reach, kMaxReach))), keep_(keep) {
}

History::History(History&& other) noexcept
    : budget_(other.budget_),
      data_(std::move(other.data_)),
      reach_(other.reach_),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)),
      keep_(other.keep_),
      stamp_(std::exchange(other.stamp_, 0)) {
}

History::~History() {
  budget_->release(capacity_);
}

void History::append(base::Bytes text) {
  if (text.empty()) return;
  stamp_ = 0;
  if (text.size() > reach_) text = text.last(reach_);
  const std::size_t needed = std::min<std::size_t>(reach_, size_ + text.size());
  if (needed > capacity_ && !grow(needed)) return forget();
  if (text.empty()) return;

  const std::size_t kept = needed - text.size();
  if (kept < size_) std::memmove(data_.get(), data_.get() + (size_ - kept), kept);
  std::memcpy(data_.get() + kept, text.data(), text.size());
  size_ = static_cast<std::uint32_t>(needed);
}

bool History::grow(std::size_t needed) {
  const std::size_t capacity = std::min<std::size_t>(reach_, std::max(kFirstCapacity, std::bit_ceil(needed)));
  const std::size_t more = capacity - capacity_;
  if (keep_ == Keep::must_keep) {
    budget_->reserve(more);
  } else if (!budget_->try_reserve(more)) {
    return false;
  }
  auto grown = std::make_unique_for_overwrite<std::byte[]>(capacity);
  if (size_ > 0) std::memcpy(grown.get(), data_.get(), size_);
  data_ = std::move(grown);
  capacity_ = static_cast<std::uint32_t>(capacity);
  return true;
}

void History::forget() {
  data_.reset();
  budget_->release(capacity_);
  size_ = capacity_ = 0;
  stamp_ = 0;
}

}  // namespace wsproxy::deflate
