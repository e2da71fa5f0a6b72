// The tree of shared histories: how its chains grow, where they are cut, and when they go.

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "deflate/shared_history.hpp"

namespace wsproxy::deflate {
namespace {

std::uint64_t hash_of(const SharedValue& parent, std::uint64_t text_hash) {
  constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15U;
  return text_hash ^ (reinterpret_cast<std::uintptr_t>(&parent) * kSpread);
}

bool equal(const StoredText& stored, base::Bytes text) {
  return stored.size == text.size() && std::memcmp(stored.bytes().data(), text.data(), text.size()) == 0;
}

}  // namespace

SharedValue& SharedHistories::root(std::uint8_t window_bits) {
  auto& root = roots_.at(window_bits);
  if (!root) {
    root = std::make_unique<SharedValue>();
    root->window_bits = window_bits;
    root->begins_at_mark = true;
    hold(*root);
  }
  return *root;
}

SharedValue* SharedHistories::find_child(const SharedValue& of, base::Bytes text) const {
  SharedValue* const latest = of.latest_child;
  if (latest != nullptr && equal(*latest->text, text)) return latest;
  if (of.children == (latest != nullptr ? 1U : 0U)) return nullptr;
  return values_.find(hash_of(of, hash(text)), [&](const SharedValue& value) {
    return value.parent == &of && equal(*value.text, text);
  });
}

SharedValue* SharedHistories::child(SharedValue& of, StoredText& text) {
  SharedValue* value = values_.find(hash_of(of, text.hash), [&](const SharedValue& candidate) {
    return candidate.parent == &of && candidate.text == &text;
  });
  if (value == nullptr) {
    void* const memory = blocks_.take(sizeof(SharedValue));
    if (memory == nullptr) return nullptr;
    value = new (memory) SharedValue;
    value->hash = hash_of(of, text.hash);
    value->parent = &of;
    value->text = &text;
    value->size = of.size + text.size;
    value->length = static_cast<std::uint16_t>(of.length + 1);
    value->window_bits = of.window_bits;
    value->begins_at_mark = of.length == 0 ? is_mark(text) : of.begins_at_mark;
    values_.insert(*value);
    hold(of);
    ++of.children;
    ++text.users;
  }
  of.latest_child = value;
  hold(*value);
  return value;
}

SharedValue& SharedHistories::successor(SharedValue& value, bool realigns) {
  if (value.length <= 1) return value;
  const bool begins_anew = is_mark(*value.text) && (tuning_.restarts_only || !value.begins_at_mark);
  if (!(begins_anew && realigns) && !is_too_long(value)) return value;
  if (value.moved != nullptr) return *value.moved;
  SharedValue& start = root(value.window_bits);
  value.moved = begins_anew ? child(start, *value.text) : shortened(value);
  return value.moved != nullptr ? *value.moved : start;
}

SharedValue* SharedHistories::shortened(const SharedValue& value) {
  chain_.clear();
  for (const SharedValue* node = &value; node->text != nullptr; node = node->parent)
    chain_.push_back(node->text);
  SharedValue* node = &root(value.window_bits);
  hold(*node);
  for (std::size_t texts = texts_to_keep(value); texts > 0 && node != nullptr;) {
    SharedValue* const longer = child(*node, *chain_[--texts]);
    let_go(*node);
    node = longer;
  }
  return node;
}

std::size_t SharedHistories::texts_to_keep(const SharedValue& value) const {
  std::size_t best = 1;
  std::uint64_t least_hash = std::numeric_limits<std::uint64_t>::max();
  std::size_t left = value.size;
  // From the oldest on, which goes in every case.
  for (std::size_t kept = chain_.size() - 1; kept > 0; --kept) {
    left -= chain_[kept]->size;
    if (left > reach(value) || kept > kMostTexts) continue;
    const StoredText& first = *chain_[kept - 1];
    if (tuning_.mark_every == 0 || is_mark(first)) return kept;
    // Without a mark, all that have these texts still agree on one of them.
    if (first.hash < least_hash) {
      least_hash = first.hash;
      best = kept;
    }
  }
  return best;
}

bool SharedHistories::is_mark(const StoredText& text) const {
  if (tuning_.mark_every == 0) return false;
  // So that marks are as far apart in a feed of large texts as in one of small ones.
  return (text.hash >> 32U) * tuning_.mark_every < (std::uint64_t{text.size} << 32U);
}

bool SharedHistories::is_too_long(const SharedValue& value) const {
  return value.size > reach(value) || value.length > kMostTexts;
}

std::size_t SharedHistories::reach(const SharedValue& value) const {
  return std::min(tuning_.reach, std::size_t{1} << value.window_bits);
}

void SharedHistories::let_go(SharedValue& value) {
  SharedValue* going = &value;
  while (going != nullptr && --going->holders == 0) {
    SharedValue* const parent = detach(*going);
    drop_packed(*going);
    going->~SharedValue();
    blocks_.give_back(going, sizeof(SharedValue));
    going = parent;
  }
}

SharedValue* SharedHistories::detach(SharedValue& value) {
  if (value.text == nullptr) return nullptr;
  encoders_.leave(std::exchange(value.stamp, 0));
  values_.erase(value);
  texts_.release(*std::exchange(value.text, nullptr));
  value.is_given_up = true;
  SharedValue* const parent = std::exchange(value.parent, nullptr);
  --parent->children;
  if (parent->latest_child == &value) parent->latest_child = nullptr;
  // No deeper than this: where one moved to, nobody moves on.
  if (SharedValue* const moved = std::exchange(value.moved, nullptr); moved != nullptr) let_go(*moved);
  return parent;
}

}  // namespace wsproxy::deflate
