// What shared histories keep of compressed messages, and what they give back.

#include <cstring>
#include <vector>

#include "deflate/shared_history.hpp"

namespace wsproxy::deflate {
namespace {

constexpr std::size_t kSweep = 4096;  // values looked at in one round of housekeeping

}  // namespace

void SharedHistories::keep_packed(SharedValue& value, base::Bytes packed) {
  drop_packed(value);
  while (!budget_.try_reserve(packed.size())) {
    if (oldest_packed_ == nullptr) return;
    drop_packed(*oldest_packed_);
  }
  value.packed = std::make_unique_for_overwrite<std::byte[]>(packed.size());
  std::memcpy(value.packed.get(), packed.data(), packed.size());
  value.packed_size = static_cast<std::uint32_t>(packed.size());
  value.round = round_;
  link_as_newest(value);
}

void SharedHistories::drop_packed(SharedValue& value) {
  if (value.packed == nullptr) return;
  unlink(value);
  value.packed.reset();
  budget_.release(value.packed_size);
  value.packed_size = 0;
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

std::size_t SharedHistories::evict_unused() {
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
  return evicted;
}

std::size_t SharedHistories::give_up(bool texts_too) {
  std::size_t given_up = 0;
  for (; oldest_packed_ != nullptr; ++given_up) drop_packed(*oldest_packed_);
  if (!texts_too) return given_up;
  std::vector<SharedValue*> all;
  all.reserve(values_.size());
  values_.for_each([&](SharedValue& value) { all.push_back(&value); });
  for (SharedValue* value : all) hold(*value);
  for (SharedValue* value : all) give_up_text(*value);
  for (SharedValue* value : all) let_go(*value);
  return given_up + all.size();
}

}  // namespace wsproxy::deflate
