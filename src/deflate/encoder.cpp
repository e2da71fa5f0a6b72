#include "deflate/encoder.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace wsproxy::deflate {
namespace {

constexpr std::size_t kTailSize = 4;  // 00 00 ff ff
constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

// ISA-L would hold back more than a window's worth of a message that streams, zlib 16 Ki literals.
constexpr std::size_t kMostHeldBack = std::size_t{32} << 10;

// With all places taken a few encoders are primed anew for each message: one a shape, and shapes are few.
// Taking one that stands for somebody would serve nobody when more connections take turns than there are
// places, and would cost a walk through cold memory each time.
constexpr std::size_t kSpare = 4;

// Encoders that stand are a luxury: they are made only while this part of the budget stays free.
constexpr std::size_t kLeftForOthers = 8;

// A stamp is a serial number above the number of the slot.
constexpr unsigned kSlotBits = 12;
constexpr std::size_t kMostSlots = std::size_t{1} << kSlotBits;

/// A history that keeps nothing is no context takeover.
History* used(History* history) {
  return history != nullptr && history->reach() > 0 ? history : nullptr;
}

}  // namespace

EncoderShape fitted_shape(Method method, std::uint8_t agreed_window_bits, std::size_t past,
                          std::size_t text_size) {
  if (method.engine != Engine::zlib) return {method, agreed_window_bits};
  constexpr std::uint8_t kLeast = 13;
  std::uint8_t bits = kLeast;
  while (bits < 15 && (std::size_t{1} << bits) < past + text_size) ++bits;
  return {method, std::min(bits, agreed_window_bits)};
}

MessageEncoder::MessageEncoder(EncoderPool& pool, EncoderShape shape, std::unique_ptr<LiveEncoder> encoder,
                               History* history)
    : pool_(&pool), shape_(shape), encoder_(std::move(encoder)), history_(history) {
}

MessageEncoder::MessageEncoder(MessageEncoder&&) noexcept = default;

MessageEncoder& MessageEncoder::operator=(MessageEncoder&& other) noexcept {
  // What this one held is abandoned when `other` is destroyed.
  std::swap(pool_, other.pool_);
  std::swap(shape_, other.shape_);
  std::swap(encoder_, other.encoder_);
  std::swap(history_, other.history_);
  std::swap(held_back_, other.held_back_);
  return *this;
}

MessageEncoder::~MessageEncoder() {
  if (!encoder_) return;
  if (history_ != nullptr) history_->forget();
  pool_->give_back(shape_, std::move(encoder_), false);
}

void MessageEncoder::write(base::Bytes text, base::ByteQueue& out) {
  if (text.empty()) return;
  held_back_ += text.size();
  const bool is_much = held_back_ >= kMostHeldBack;
  encoder_->run(text, is_much ? LiveEncoder::Flush::sync : LiveEncoder::Flush::none, out, kNoLimit);
  if (is_much) held_back_ = 0;
  if (history_ != nullptr) history_->append(text);
}

void MessageEncoder::finish(base::ByteQueue& out) {
  if (held_back_ > 0) {
    encoder_->run({}, LiveEncoder::Flush::sync, out, kNoLimit);
    out.truncate(out.size() - kTailSize);
  } else {
    // The stream stands at a byte boundary and there is nothing to flush: RFC 7692 section 7.2.3.6.
    out.append(std::byte{0});
  }
  const Stamp stamp = pool_->give_back(shape_, std::move(encoder_), history_ != nullptr);
  if (history_ != nullptr) history_->set_stamp(stamp);
}

EncoderPool::EncoderPool(std::size_t max_standing, Budget& budget)
    : budget_(&budget), slots_(std::min(max_standing + kSpare, kMostSlots)) {
}

EncoderPool::~EncoderPool() = default;

std::size_t EncoderPool::idle_count() const {
  return static_cast<std::size_t>(std::ranges::count_if(slots_, [](const Slot& s) { return !!s.encoder; }));
}

bool EncoderPool::stands_at(Stamp stamp, EncoderShape shape) const {
  const std::size_t slot = standing_slot(stamp);
  return slot != kNone && slots_[slot].shape == shape;
}

bool EncoderPool::compress(base::Bytes text, EncoderShape shape, History* history, base::ByteQueue& out) {
  if (text.size() <= 1) return false;
  history = used(history);
  Stamp stamp = history != nullptr ? history->stamp() : 0;
  const bool needs_past = history != nullptr && !stands_at(stamp, shape);
  const bool shrank = compress(text, shape, needs_past ? history->text() : base::Bytes{}, stamp, out);
  if (history == nullptr) {
    leave(stamp);
    return shrank;
  }
  if (shrank) history->append(text);
  history->set_stamp(stamp);
  return shrank;
}

bool EncoderPool::compress(base::Bytes text, EncoderShape shape, base::Bytes past, Stamp& stamp,
                           base::ByteQueue& out) {
  if (text.size() <= 1) return false;
  Slot& slot = slots_[place(shape, stamp, past)];
  slot.stamp = 0;  // should memory run out half way
  const std::size_t before = out.size();
  // At this many bytes, with the tail, nothing is gained.
  const bool shrank = slot.encoder->run(text, LiveEncoder::Flush::sync, out, text.size() + kTailSize);
  out.truncate(shrank ? out.size() - kTailSize : before);
  stamp = slot.stamp = shrank ? next_stamp(slot) : 0;
  return shrank;
}

std::optional<MessageEncoder> EncoderPool::begin(EncoderShape shape, History* history) {
  history = used(history);
  if (in_messages_ >= kSpare && budget_->free() < memory_of(shape)) return std::nullopt;
  const Stamp stamp = history != nullptr ? history->stamp() : 0;
  const bool needs_past = history != nullptr && !stands_at(stamp, shape);
  Slot& slot = slots_[place(shape, stamp, needs_past ? history->text() : base::Bytes{})];
  slot.stamp = 0;
  ++in_messages_;
  return MessageEncoder{*this, shape, std::move(slot.encoder), history};
}

std::size_t EncoderPool::place(EncoderShape shape, Stamp stamp, base::Bytes past) {
  const std::size_t standing = standing_slot(stamp);
  if (standing != kNone && slots_[standing].shape == shape) {
    slots_[standing].round = round_;
    ++resumed_;
    return standing;
  }
  leave(stamp);  // of another shape
  const std::size_t chosen = choose(shape);
  Slot& slot = slots_[chosen];
  slot.stamp = 0;
  if (!slot.encoder || slot.shape != shape) {
    slot.encoder.reset();
    slot.encoder = make_live_encoder(shape, *budget_);
    slot.shape = shape;
  }
  slot.round = round_;
  slot.encoder->prime(past);
  ++primed_;
  return chosen;
}

std::size_t EncoderPool::standing_slot(Stamp stamp) const {
  const std::size_t slot = stamp & (kMostSlots - 1);
  return stamp != 0 && slot < slots_.size() && slots_[slot].stamp == stamp ? slot : kNone;
}

void EncoderPool::leave(Stamp stamp) {
  if (const std::size_t slot = standing_slot(stamp); slot != kNone) slots_[slot].stamp = 0;
}

std::size_t EncoderPool::choose(EncoderShape shape) const {
  std::size_t vacant = kNone;
  for (std::size_t i = 0; i < slots_.size() - kSpare; ++i) {
    if (slots_[i].stamp != 0) continue;
    if (slots_[i].encoder && slots_[i].shape == shape) return i;
    // Feeds go to and fro between two shapes: neither is made anew in the other's place while there is room.
    if (vacant == kNone || !slots_[i].encoder) vacant = i;
  }
  // With little memory left the histories have it.
  if (vacant != kNone && budget_->free() >= memory_of(shape) + budget_->limit() / kLeftForOthers)
    return vacant;
  std::size_t spare = slots_.size() - kSpare;
  for (std::size_t i = spare; i < slots_.size(); ++i) {
    if (slots_[i].encoder && slots_[i].shape == shape) return i;
    if (!slots_[i].encoder || (slots_[spare].encoder && slots_[i].round < slots_[spare].round)) spare = i;
  }
  return spare;
}

Stamp EncoderPool::next_stamp(const Slot& slot) {
  return next_serial_++ << kSlotBits | static_cast<Stamp>(&slot - slots_.data());
}

Stamp EncoderPool::give_back(EncoderShape shape, std::unique_ptr<LiveEncoder> encoder, bool is_standing) {
  --in_messages_;
  const auto vacant = std::ranges::find_if(slots_, [](const Slot& slot) { return !slot.encoder; });
  if (vacant == slots_.end()) return 0;
  vacant->encoder = std::move(encoder);
  vacant->shape = shape;
  vacant->round = round_;
  vacant->stamp = is_standing ? next_stamp(*vacant) : 0;
  return vacant->stamp;
}

std::size_t EncoderPool::retire_unused() {
  const std::size_t retired = retire([this](const Slot& slot) { return slot.round != round_; });
  ++round_;
  return retired;
}

std::size_t EncoderPool::retire_all() {
  return retire([](const Slot&) { return true; });
}

std::size_t EncoderPool::retire_standing(Which which) {
  const Slot* const first_spare = &slots_[slots_.size() - kSpare];
  return retire(
      [&](const Slot& slot) { return &slot < first_spare && (which == Which::all || slot.round != round_); });
}

template <typename Condition>
std::size_t EncoderPool::retire(Condition condition) {
  std::size_t retired = 0;
  for (Slot& slot : slots_) {
    if (!slot.encoder || !condition(slot)) continue;
    slot.encoder.reset();
    slot.stamp = 0;
    ++retired;
  }
  return retired;
}

}  // namespace wsproxy::deflate
