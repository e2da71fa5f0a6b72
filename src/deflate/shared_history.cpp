#include "deflate/shared_history.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace wsproxy::deflate {
namespace {

// A chain of tiny texts is cut before its nodes outweigh them.
constexpr std::uint32_t kMostTexts = 512;

std::uint64_t hash_of(const SharedValue& parent, std::uint64_t text_hash) {
  constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15U;
  return text_hash ^ (reinterpret_cast<std::uintptr_t>(&parent) * kSpread);
}

bool equal(const StoredText& stored, base::Bytes text) {
  return stored.size == text.size() && std::memcmp(stored.bytes().data(), text.data(), text.size()) == 0;
}

}  // namespace

SharedPlace::SharedPlace(SharedHistories& histories, std::uint8_t window_bits)
    : histories_(&histories), at_(&histories.root(window_bits)) {
  SharedHistories::hold(*at_);
}

SharedPlace::SharedPlace(SharedPlace&& other) noexcept
    : histories_(other.histories_),
      at_(std::exchange(other.at_, nullptr)),
      made_(std::exchange(other.made_, nullptr)),
      realigns_(other.realigns_) {
}

SharedPlace& SharedPlace::operator=(SharedPlace&& other) noexcept {
  std::swap(histories_, other.histories_);
  std::swap(at_, other.at_);
  std::swap(made_, other.made_);
  std::swap(realigns_, other.realigns_);
  return *this;
}

SharedPlace::~SharedPlace() {
  if (made_ != nullptr) histories_->let_go(*made_);
  if (at_ != nullptr) histories_->let_go(*at_);
}

bool SharedPlace::is_in_company() const {
  return made_ == nullptr || made_->arrivals > 1;
}

std::size_t SharedPlace::size() const {
  return at_->is_given_up ? 0 : at_->size;
}

void SharedPlace::forget() {
  SharedValue& root = histories_->root(at_->window_bits);
  SharedHistories::hold(root);
  histories_->let_go(*std::exchange(at_, &root));
}

SharedHistories::SharedHistories(EncoderPool& encoders, Budget& budget, std::uint64_t seed, Tuning tuning)
    : encoders_(encoders), budget_(budget), tuning_(tuning), texts_(budget, seed) {
}

SharedHistories::~SharedHistories() {
  assert(values_.size() == 0);
}

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

SharedValue& SharedHistories::where(SharedPlace& place) {
  if (place.at_->is_given_up) place.forget();
  return *place.at_;
}

base::Bytes SharedHistories::known(SharedPlace& place, base::Bytes text) {
  SharedValue* const found = find_child(where(place), text);
  if (found == nullptr || found->packed == nullptr) return {};
  found->round = round_;
  advance(place, *found, false);
  return found->packed_bytes();
}

bool SharedHistories::compress(SharedPlace& place, base::Bytes text, std::uint64_t text_hash, Method method,
                               base::ByteQueue& out) {
  SharedValue& at = where(place);
  const EncoderShape shape = fitted_shape(method, at.window_bits, at.size, text.size());
  if (!encoders_.stands_at(at.stamp, shape)) append_text(at, past_);
  // Whatever happens now, the encoder does not stand here any more.
  Stamp stamp = std::exchange(at.stamp, 0);
  const std::size_t before = out.size();
  const bool shrank = encoders_.compress(text, shape, past_.view(), stamp, out);
  past_.clear();
  if (!shrank) return false;

  StoredText* const stored = texts_.take(text, text_hash);
  SharedValue* const made = stored == nullptr ? nullptr : child(at, *stored);
  if (stored != nullptr) texts_.release(*stored);
  if (made == nullptr) {
    encoders_.leave(stamp);
    place.forget();
    return true;
  }
  encoders_.leave(std::exchange(made->stamp, stamp));
  keep_packed(*made, out.view().subspan(before));
  advance(place, *made, true);
  let_go(*made);
  return true;
}

void SharedHistories::continue_in(const SharedPlace& place, History& history) {
  SharedValue& at = *place.at_;
  if (at.is_given_up) return;
  append_text(at, past_);
  history.append(past_.view());
  history.set_stamp(std::exchange(at.stamp, 0));
  past_.clear();
}

void SharedHistories::append_text(const SharedValue& value, base::ByteQueue& out) const {
  std::byte* end = out.prepare(value.size).data() + value.size;
  for (const SharedValue* node = &value; node->text != nullptr; node = node->parent) {
    const base::Bytes text = node->text->bytes();
    end -= text.size();
    std::memcpy(end, text.data(), text.size());
  }
  out.commit(value.size);
}

void SharedHistories::advance(SharedPlace& place, SharedValue& to, bool made) {
  ++to.arrivals;
  SharedValue& next = successor(to, place.realigns_);
  hold(next);
  if (made) hold(to);
  SharedValue* const left = std::exchange(place.at_, &next);
  SharedValue* const made_before = std::exchange(place.made_, made ? &to : nullptr);
  if (made_before != nullptr) let_go(*made_before);
  let_go(*left);
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
    if (!budget_.try_reserve(sizeof(SharedValue))) return nullptr;
    value = new SharedValue;
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
  // From the oldest on; the last one is kept in every case.
  std::size_t left = value.size;
  std::size_t texts = chain_.size();
  const auto may_begin = [&] {
    const bool fits = left <= reach(value) && texts <= kMostTexts / 2;
    return fits && (tuning_.mark_every == 0 || is_mark(*chain_[texts - 1]));
  };
  do {
    left -= chain_[--texts]->size;
  } while (texts > 1 && !may_begin());

  SharedValue* node = &root(value.window_bits);
  hold(*node);
  while (texts > 0 && node != nullptr) {
    SharedValue* const longer = child(*node, *chain_[--texts]);
    let_go(*node);
    node = longer;
  }
  return node;
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
    SharedValue* const parent = going->parent;  // held by its child
    give_up_text(*going);
    delete going;
    budget_.release(sizeof(SharedValue));
    going = parent;
  }
}

void SharedHistories::give_up_text(SharedValue& value) {
  if (value.text == nullptr) return;
  drop_packed(value);
  encoders_.leave(std::exchange(value.stamp, 0));
  values_.erase(value);
  texts_.release(*std::exchange(value.text, nullptr));
  value.is_given_up = true;
  --value.parent->children;
  if (value.parent->latest_child == &value) value.parent->latest_child = nullptr;
  if (SharedValue* const moved = std::exchange(value.moved, nullptr); moved != nullptr) let_go(*moved);
}

}  // namespace wsproxy::deflate
