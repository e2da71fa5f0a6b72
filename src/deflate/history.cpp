#include "deflate/history.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

#include "deflate/history_shelf.hpp"
#include "deflate/text_packer.hpp"

namespace wsproxy::deflate {
namespace {

constexpr std::size_t kMaxReach = 32768;
constexpr std::size_t kFirstCapacity = 256;

/// Room behind the text, so that it is moved to the front once in so many bytes instead of at each
/// message. More than a sixteenth costs every connection memory and saves nothing that one can measure.
std::size_t slack(std::size_t reach) {
  return reach / 16;
}

std::size_t capacity_for(std::size_t text_size, std::size_t reach) {
  const std::size_t doubled = std::max(kFirstCapacity, std::bit_ceil(text_size));
  return doubled < reach ? doubled : reach + slack(reach);
}

}  // namespace

History::History(std::size_t reach, Keep keep, Budget& budget)
    : budget_(&budget), reach_(static_cast<std::uint16_t>(std::min(reach, kMaxReach))), keep_(keep) {
}

History::History(std::size_t reach, Keep keep, HistoryShelf& shelf) : History(reach, keep, shelf.budget()) {
  shelf_ = &shelf;
  if (keep_ == Keep::must_keep) shelf.promised_ += reach_;
}

History::History(History&& other) noexcept
    : budget_(other.budget_),
      shelf_(std::exchange(other.shelf_, nullptr)),
      data_(std::move(other.data_)),
      stamp_(std::exchange(other.stamp_, 0)),
      place_(other.place_),
      reach_(other.reach_),
      begin_(std::exchange(other.begin_, 0)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)),
      used_round_(other.used_round_),
      keep_(other.keep_),
      is_asleep_(std::exchange(other.is_asleep_, false)),
      resists_(other.resists_) {
  if (shelf_ != nullptr && capacity_ > 0) shelf_->replace(place_, *this);
}

History::~History() {
  if (shelf_ != nullptr && keep_ == Keep::must_keep) shelf_->promised_ -= reach_;
  adopt(nullptr, 0);
}

void History::append(base::Bytes text) {
  if (text.empty()) return;
  stamp_ = 0;
  resists_ = false;
  touch();
  if (text.size() >= reach_) {
    text = text.last(reach_);
    if (is_asleep_) forget();
    begin_ = size_ = 0;
  }
  if (is_asleep_) wake();
  if (begin_ + size_ + text.size() > capacity_) {
    make_room(text.size());
    if (text.size() > capacity_) text = text.last(capacity_);
  }
  if (text.empty()) return;

  std::memcpy(data_.get() + begin_ + size_, text.data(), text.size());
  const std::size_t size = size_ + text.size();
  const std::size_t dropped = size > reach_ ? size - reach_ : 0;
  begin_ = static_cast<std::uint16_t>(begin_ + dropped);
  size_ = static_cast<std::uint16_t>(size - dropped);
}

/// Grows, or else moves the text to the front, so that `more` bytes fit behind it as far as they fit at all.
void History::make_room(std::size_t more) {
  const std::size_t capacity = capacity_for(std::min<std::size_t>(reach_, size_ + more), reach_);
  if (capacity > capacity_ && reserve(capacity - capacity_)) {
    const std::size_t kept = std::min<std::size_t>(size_, reach_ - std::min<std::size_t>(more, reach_));
    if (move_to(capacity, kept)) return;
    budget_->release(capacity - capacity_);
    if (keep_ == Keep::must_keep) throw std::bad_alloc{};
  }
  // With the memory that there is: all of the reach, or less, but with slack as well.
  const std::size_t most = capacity_ > reach_ ? reach_ : capacity_ - slack(capacity_);
  const std::size_t kept = std::min<std::size_t>(size_, most - std::min(most, more));
  if (kept > 0) std::memmove(data_.get(), data_.get() + begin_ + (size_ - kept), kept);
  begin_ = 0;
  size_ = static_cast<std::uint16_t>(kept);
}

bool History::reserve(std::size_t bytes) {
  if (budget_->try_reserve(bytes)) return true;
  if (shelf_ != nullptr && shelf_->reclaim(bytes) && budget_->try_reserve(bytes)) return true;
  if (keep_ == Keep::may_forget) return false;
  budget_->reserve(bytes);
  return true;
}

/// Takes the newest `kept` bytes along to a block of `capacity`; what that is more is reserved already.
bool History::move_to(std::size_t capacity, std::size_t kept) {
  std::unique_ptr<std::byte[]> block{new (std::nothrow) std::byte[capacity]};
  if (!block) return false;
  if (kept > 0) std::memcpy(block.get(), data_.get() + begin_ + (size_ - kept), kept);
  if (!adopt(std::move(block), capacity)) return false;
  size_ = static_cast<std::uint16_t>(kept);
  return true;
}

/// The one place where what it owns changes. False when the shelf has no place left.
bool History::adopt(std::unique_ptr<std::byte[]> block, std::size_t capacity) {
  if (shelf_ != nullptr && capacity_ == 0 && capacity > 0 && !shelf_->add(*this)) return false;
  if (shelf_ != nullptr && capacity_ > 0 && capacity == 0) shelf_->remove(place_);
  if (std::exchange(is_asleep_, false)) --shelf_->asleep_;
  if (capacity < capacity_) budget_->release(capacity_ - capacity);
  data_ = std::move(block);
  capacity_ = static_cast<std::uint16_t>(capacity);
  begin_ = 0;
  return true;
}

void History::forget() {
  adopt(nullptr, 0);
  size_ = 0;
  stamp_ = 0;
}

void History::set_reach(std::size_t reach) {
  reach = std::min(reach, kMaxReach);
  if (reach == 0) forget();
  touch();                                  // what it wakes up with may be taken from others, not from itself
  if (is_asleep_ && reach < size_) wake();  // into what its reach was
  reach_ = static_cast<std::uint16_t>(reach);
  if (capacity_ == 0 || is_asleep_) return;
  const std::size_t kept = std::min(size_, reach_);
  if (kept < size_) stamp_ = 0;
  const std::size_t capacity = capacity_for(kept, reach_);
  if (capacity < capacity_ && move_to(capacity, kept)) return;
  begin_ = static_cast<std::uint16_t>(begin_ + (size_ - kept));
  size_ = static_cast<std::uint16_t>(kept);
}

void History::shrink_to(std::size_t bytes) {
  if (keep_ == Keep::must_keep || capacity_ <= bytes) return;
  if (is_asleep_ || bytes == 0) return forget();
  stamp_ = 0;
  if (!move_to(bytes, std::min<std::size_t>(size_, bytes))) forget();
}

base::Bytes History::text() {
  touch();
  if (is_asleep_) wake();
  return {data_.get() + begin_, size_};
}

void History::touch() {
  if (shelf_ != nullptr) used_round_ = shelf_->round_;
}

/// False when the text does not get smaller by a quarter; then it is not tried again before it changes.
bool History::sleep(TextPacker& packer) {
  const base::Bytes packed = packer.pack({data_.get() + begin_, size_});
  if (packed.empty()) {
    resists_ = true;
    if (size_ <= capacity_ - capacity_ / 4) move_to(size_, size_);
    return false;
  }
  std::unique_ptr<std::byte[]> block{new (std::nothrow) std::byte[packed.size()]};
  if (!block) return false;
  std::memcpy(block.get(), packed.data(), packed.size());
  adopt(std::move(block), packed.size());
  is_asleep_ = true;
  ++shelf_->asleep_;
  return true;
}

void History::wake() {
  const std::size_t capacity = capacity_for(size_, reach_);
  if (!reserve(capacity - capacity_)) return forget();
  std::unique_ptr<std::byte[]> block{new (std::nothrow) std::byte[capacity]};
  if (block && shelf_->packer_.unpack({data_.get(), capacity_}, {block.get(), size_})) {
    adopt(std::move(block), capacity);
    return;
  }
  budget_->release(capacity - capacity_);
  if (keep_ == Keep::must_keep) throw std::bad_alloc{};
  forget();
}

}  // namespace wsproxy::deflate
