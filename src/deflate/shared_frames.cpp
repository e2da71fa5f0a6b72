// What shared histories keep for receivers that have yet to come by, and what they give back.

#include <cstring>
#include <utility>

#include "deflate/shared_history.hpp"

namespace wsproxy::deflate {
namespace {

constexpr std::size_t kSweep = 4096;  // values looked at in one round of housekeeping

// So much text of the latest messages is found in every case by those that are a read event behind.
constexpr std::size_t kRecentBytes = std::size_t{256} << 10;

}  // namespace

void SharedHistories::keep_packed(SharedValue& value, base::Bytes packed) {
  drop_packed(value);
  value.packed = static_cast<std::byte*>(blocks_.take(packed.size()));
  if (value.packed == nullptr) return;
  std::memcpy(value.packed, packed.data(), packed.size());
  value.packed_size = static_cast<std::uint32_t>(packed.size());
  link_as_newest(value);
}

void SharedHistories::drop_packed(SharedValue& value) {
  if (value.packed == nullptr) return;
  unlink(value);
  blocks_.give_back(std::exchange(value.packed, nullptr), std::exchange(value.packed_size, 0));
}

void SharedHistories::link_as_newest(SharedValue& value) {
  value.older = newest_packed_;
  value.newer = nullptr;
  (newest_packed_ != nullptr ? newest_packed_->newer : oldest_packed_) = &value;
  newest_packed_ = &value;
}

void SharedHistories::unlink(SharedValue& value) {
  (value.older != nullptr ? value.older->newer : oldest_packed_) = value.newer;
  (value.newer != nullptr ? value.newer->older : newest_packed_) = value.older;
}

void SharedHistories::remember(SharedValue& value) {
  if (recent_.count == recent_.values.size()) forget_oldest();
  hold(value);
  value.round = round_;
  recent_.values[(recent_.first + recent_.count++) % recent_.values.size()] = {&value, value.text->size};
  recent_.bytes += value.text->size;
  while (recent_.bytes > kRecentBytes && recent_.count > 1) forget_oldest();
}

void SharedHistories::forget_oldest() {
  const auto [value, size] = recent_.values[recent_.first];
  recent_.first = (recent_.first + 1) % recent_.values.size();
  --recent_.count;
  recent_.bytes -= size;
  let_go(*value);
}

void SharedHistories::forget_recent() {
  show(nullptr);
  while (recent_.count > 0) forget_oldest();
}

void SharedHistories::make_room(std::size_t bytes) {
  // When others of the worker are far over the budget, no more than this message takes is sacrificed for it.
  for (std::size_t dropped = 0; dropped < bytes && blocks_.free() < bytes;) {
    if (recent_.count == 0 && oldest_packed_ == nullptr) return;
    if (recent_.count > 0) forget_oldest();
    if (oldest_packed_ == nullptr) continue;
    dropped += oldest_packed_->packed_size;
    drop_packed(*oldest_packed_);
  }
}

std::size_t SharedHistories::evict_unused() {
  show(nullptr);
  while (recent_.count > 0 && recent_.values[recent_.first].value->round != round_) forget_oldest();
  std::size_t evicted = 0;
  SharedValue* const last = newest_packed_;
  SharedValue* value = oldest_packed_;
  for (std::size_t i = 0; i < kSweep && value != nullptr; ++i) {
    SharedValue* const following = value == last ? nullptr : value->newer;
    if (value->round != round_) {
      drop_packed(*value);
      ++evicted;
    } else {
      unlink(*value);
      link_as_newest(*value);
    }
    value = following;
  }
  ++round_;
  blocks_.trim();
  return evicted;
}

std::size_t SharedHistories::give_up(bool texts_too) {
  if (is_busy_) return 0;
  forget_recent();
  std::size_t given_up = 0;
  for (; oldest_packed_ != nullptr; ++given_up) drop_packed(*oldest_packed_);
  if (texts_too) {
    given_up += values_.size();
    values_.drain([this](SharedValue& value) {
      hold(value);
      if (SharedValue* const parent = detach(value); parent != nullptr) let_go(*parent);
      let_go(value);
    });
  }
  blocks_.release();
  return given_up;
}

}  // namespace wsproxy::deflate
