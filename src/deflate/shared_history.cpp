#include "deflate/shared_history.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace wsproxy::deflate {
namespace {

/// While it exists, nothing is given up in the middle of what is being done.
class Busy {
 public:
  explicit Busy(bool& flag) : flag_(flag) { flag_ = true; }
  ~Busy() { flag_ = false; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  bool& flag_;
};

constexpr std::size_t kNodeRoom = 256;  // for a value or what surrounds a text, generously

}  // namespace

SharedPlace::SharedPlace(SharedHistories& histories, std::uint8_t window_bits)
    : histories_(&histories), at_(&histories.root(window_bits)) {
  SharedHistories::hold(*at_);
}

SharedPlace::SharedPlace(SharedPlace&& other) noexcept
    : histories_(other.histories_),
      at_(std::exchange(other.at_, nullptr)),
      made_(std::exchange(other.made_, nullptr)),
      arrivals_(other.arrivals_),
      alone_(other.alone_),
      restarts_(other.restarts_),
      realigns_(other.realigns_) {
}

SharedPlace& SharedPlace::operator=(SharedPlace&& other) noexcept {
  std::swap(histories_, other.histories_);
  std::swap(at_, other.at_);
  std::swap(made_, other.made_);
  std::swap(arrivals_, other.arrivals_);
  std::swap(alone_, other.alone_);
  std::swap(restarts_, other.restarts_);
  std::swap(realigns_, other.realigns_);
  return *this;
}

SharedPlace::~SharedPlace() {
  if (made_ != nullptr) histories_->let_go(*made_);
  if (at_ != nullptr) histories_->let_go(*at_);
}

bool SharedPlace::is_in_company() const {
  return made_ == nullptr || made_->arrivals != arrivals_;
}

std::uint8_t SharedPlace::window_bits() const {
  return at_->window_bits;
}

std::size_t SharedPlace::size() const {
  return at_->is_given_up ? 0 : at_->size;
}

void SharedPlace::forget() {
  SharedValue& root = histories_->root(at_->window_bits);
  histories_->encoders_.leave(std::exchange(at_->stamp, 0));
  SharedHistories::hold(root);
  histories_->let_go(*std::exchange(at_, &root));
}

SharedHistories::SharedHistories(EncoderPool& encoders, Budget& budget, std::uint64_t seed, Tuning tuning)
    : encoders_(encoders), tuning_(tuning), blocks_(budget), texts_(blocks_, seed) {
  chain_.reserve(kMostTexts + 1);
}

SharedHistories::~SharedHistories() {
  forget_recent();
  assert(values_.size() == 0);
}

SharedValue& SharedHistories::where(SharedPlace& place) {
  if (place.at_->is_given_up) place.forget();
  return *place.at_;
}

base::Bytes SharedHistories::known(SharedPlace& place, base::Bytes text) {
  SharedValue* const found = find_child(where(place), text);
  if (found == nullptr || found->packed == nullptr) return {};
  show(found);
  found->round = round_;
  place.alone_ = place.restarts_ = 0;
  served_ = &place;
  const Busy busy{is_busy_};
  arrive(place, successor(*found, place.realigns_), false);
  return found->packed_bytes();
}

void SharedHistories::show(SharedValue* value) {
  if (value != nullptr) hold(*value);
  if (SharedValue* const before = std::exchange(shown_, value); before != nullptr) let_go(*before);
}

bool SharedHistories::compress(SharedPlace& place, base::Bytes text, std::uint64_t text_hash, Method method,
                               base::ByteQueue& out) {
  if (text.size() <= 1) return false;
  SharedValue& at = where(place);
  const EncoderShape shape = fitted_shape(method, at.window_bits, at.size, text.size());
  past_.clear();
  if (!encoders_.stands_at(at.stamp, shape)) append_text(at, past_);
  // Whatever happens now, the encoder does not stand here any more.
  Stamp stamp = std::exchange(at.stamp, 0);
  const std::size_t before = out.size();
  if (!encoders_.compress(text, shape, past_.view(), stamp, out)) return false;
  store(place, text, text_hash, out.view().subspan(before), stamp);
  return true;
}

void SharedHistories::store(SharedPlace& place, base::Bytes text, std::uint64_t text_hash, base::Bytes packed,
                            Stamp stamp) {
  const Busy busy{is_busy_};
  SharedValue& at = *place.at_;
  const bool will_be_cut = at.size + text.size() > reach(at) || at.length >= kMostTexts;
  make_room(text.size() + packed.size() + (will_be_cut ? at.length + 2U : 2U) * kNodeRoom);
  StoredText* const stored = texts_.take(text, text_hash);
  SharedValue* const made = stored == nullptr ? nullptr : child(at, *stored);
  if (stored != nullptr) texts_.release(*stored);
  if (made == nullptr) {
    encoders_.leave(stamp);
    place.forget();
    return;
  }
  remember(*made);
  keep_packed(*made, packed);
  count_turn(place);
  SharedValue* const next = go_on(place, *made);
  // Nobody goes on from where it does not.
  if (next != made) encoders_.leave(std::exchange(stamp, 0));
  encoders_.leave(std::exchange(made->stamp, stamp));
  arrive(place, *next, true);
  let_go(*next);
  let_go(*made);
}

/// Where to; held.
SharedValue* SharedHistories::go_on(SharedPlace& place, SharedValue& made) {
  if (should_restart(place, made)) {
    place.alone_ = 0;
    if (place.restarts_ < UINT8_MAX) ++place.restarts_;
    SharedValue* const start = child(root(made.window_bits), *made.text);
    if (start != nullptr) return start;
  }
  SharedValue& next = successor(made, place.realigns_);
  hold(next);
  return &next;
}

void SharedHistories::count_turn(SharedPlace& place) {
  // One that is sent several messages before anybody else gets any is ahead of the others, not alone.
  const bool is_new_turn = std::exchange(served_, &place) != &place;
  if (place.is_in_company()) {
    place.alone_ = place.restarts_ = 0;
  } else if (is_new_turn && place.alone_ < UINT16_MAX) {
    ++place.alone_;
  }
}

bool SharedHistories::should_restart(const SharedPlace& place, const SharedValue& made) const {
  constexpr unsigned kMostDoublings = 7;
  if (!place.realigns_ || tuning_.patience == 0 || made.length == 1 || !is_mark(*made.text)) return false;
  // Where nobody else came by, the others will: when all of them have what this one has.
  return place.alone_ >= tuning_.patience << std::min<unsigned>(place.restarts_, kMostDoublings);
}

void SharedHistories::arrive(SharedPlace& place, SharedValue& at, bool made) {
  hold(at);
  ++at.arrivals;
  if (made) hold(at);
  SharedValue* const made_before = std::exchange(place.made_, made ? &at : nullptr);
  place.arrivals_ = at.arrivals;
  let_go(*std::exchange(place.at_, &at));
  if (made_before != nullptr) let_go(*made_before);
}

void SharedHistories::continue_in(const SharedPlace& place, History& history) {
  SharedValue& at = *place.at_;
  if (at.is_given_up) return;
  past_.clear();
  append_text(at, past_);
  history.append(past_.view());
  history.set_stamp(std::exchange(at.stamp, 0));
}

void SharedHistories::append_text(const SharedValue& value, base::ByteQueue& out) const {
  std::size_t left = std::min<std::size_t>(value.size, std::size_t{1} << value.window_bits);
  std::byte* const begin = out.prepare(left).data();
  const std::size_t size = left;
  for (const SharedValue* node = &value; left > 0; node = node->parent) {
    const base::Bytes text = node->text->bytes().last(std::min<std::size_t>(left, node->text->size));
    left -= text.size();
    std::memcpy(begin + left, text.data(), text.size());
  }
  out.commit(size);
}

}  // namespace wsproxy::deflate
