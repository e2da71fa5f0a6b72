#include "deflate/compressor.hpp"

#include <algorithm>
#include <utility>

#include "deflate/negotiation.hpp"

namespace wsproxy::deflate {
namespace {

// A private message of up to this size goes raw between broadcasts: what it would save is less than what
// the following broadcasts would cost, each compressed for this connection alone.
constexpr std::size_t kRawBetween = 1024;

constexpr std::uint8_t kWithoutStatic = 16;

// Up to this level a history does not grow past what it begins with.
constexpr std::uint8_t kFast = 3;

// With less than this part of the memory free a history falls back to half its reach.
constexpr std::size_t kShort = 8;

std::size_t most_reach(const CompressorSettings& settings) {
  return std::min(settings.history_bytes, std::size_t{1} << settings.window_bits);
}

std::size_t first_reach(const CompressorSettings& settings) {
  const std::size_t most = most_reach(settings);
  return settings.is_history_auto ? std::min(most, kFirstReach) : most;
}

}  // namespace

Compressor::Compressor(const CompressorSettings& settings, Codecs& codecs)
    : settings_(settings),
      codecs_(codecs),
      past_(SharedPlace{codecs.shared, settings.window_bits}),
      policy_(settings.min_size, settings.is_adaptive),
      connection_(codecs.sightings.next_connection()) {
  std::get<SharedPlace>(past_).set_realigns(false);
}

bool Compressor::keeps_history() const {
  return settings_.context_takeover && settings_.history_bytes > 0;
}

std::uint8_t Compressor::level() const {
  return settings_.is_adaptive ? codecs_.governor.level(settings_.level) : settings_.level;
}

Method Compressor::method(std::size_t size) const {
  return method_for(settings_.engine, level(), size, past_size() > 0 && without_static_ == 0);
}

std::size_t Compressor::past_size() const {
  if (const auto* const place = std::get_if<SharedPlace>(&past_)) return place->size();
  const auto* const history = std::get_if<History>(&past_);
  return history != nullptr ? history->size() : 0;
}

void Compressor::record_whole(Method method, std::size_t input, std::size_t output) {
  policy_.record(input, output);
  if (without_static_ > 0) --without_static_;
  const bool is_static = method == Method{Engine::isal, 0};
  if (is_static && output > input - input / 8) without_static_ = kWithoutStatic;
}

Compressor::Outcome Compressor::compress(base::Bytes text, base::ByteQueue& scratch) {
  return shares() ? compress_shared(text, scratch) : compress_alone(text, scratch);
}

Compressor::Outcome Compressor::compress_shared(base::Bytes text, base::ByteQueue& scratch) {
  auto& place = std::get<SharedPlace>(past_);
  const bool begins_turn = codecs_.sightings.begins_turn(connection_);
  habit_.earn_raw(text.size());
  const bool is_ahead = last_ == Last::raw || (last_ == Last::compressed && !begins_turn);
  judge_last(begins_turn);
  if (habit_.is_alone()) {
    go_alone();
    return compress_alone(text, scratch);
  }
  if (const base::Bytes known = codecs_.shared.known(place, text); !known.empty()) {
    note(true);
    habit_.note_broadcast(false);
    policy_.record(text.size(), known.size());
    if (!keeps_history()) place.forget();
    return {Bypass::none, true, known};
  }
  if (const Bypass bypass = policy_.decide(text); bypass != Bypass::none) return {bypass, false, {}};

  const std::uint64_t hash = codecs_.shared.hash(text);
  const bool is_broadcast = codecs_.sightings.see(hash, connection_);
  last_hash_ = hash;
  // Behind a message that nobody has had before a receiver is ahead of the others: what comes next it may
  // well be the first to get.
  const bool is_private = keeps_history() && !is_broadcast && !is_ahead && habit_.expects_private();
  if (is_private && text.size() <= kRawBetween && habit_.spend_raw(text.size())) {
    last_ = Last::raw;
    return {Bypass::keeps_shared, false, {}};
  }
  const Method with = method(text.size());
  const bool shrank = codecs_.shared.compress(place, text, hash, with, scratch);
  record_whole(with, text.size(), shrank ? scratch.size() : text.size());
  if (!shrank) return {Bypass::no_gain, false, {}};
  if (is_broadcast) {
    note(true);
    last_ = Last::broadcast;
  } else {
    last_ = Last::compressed;
  }
  if (!keeps_history()) place.forget();
  return {Bypass::none, false, scratch.view()};
}

void Compressor::judge_last(bool begins_turn) {
  const Last last = std::exchange(last_, Last::settled);
  if (last == Last::broadcast) {
    if (begins_turn && !std::get<SharedPlace>(past_).is_in_company()) habit_.note_broadcast(true);
    return;
  }
  // Of several messages that come at once only the last one can be judged.
  if (!begins_turn || last == Last::settled) return;
  // They took these bytes, or had to compress it for themselves, being somewhere else.
  const bool others_followed = (last == Last::compressed && std::get<SharedPlace>(past_).is_in_company()) ||
                               codecs_.sightings.was_seen_by_others(last_hash_);
  habit_.note_first(others_followed);
  note(others_followed);
}

void Compressor::note(bool in_company) {
  habit_.note(in_company);
  std::get<SharedPlace>(past_).set_realigns(habit_.is_member());
}

Compressor::Outcome Compressor::compress_alone(base::Bytes text, base::ByteQueue& scratch) {
  if (const Bypass bypass = policy_.decide(text); bypass != Bypass::none) return {bypass, false, {}};
  habit_.note(codecs_.sightings.see(codecs_.shared.hash(text), connection_));
  if (habit_.should_share()) {
    go_shared();
    return compress_shared(text, scratch);
  }
  History* const history = own_history();
  const Method with = method(text.size());
  const EncoderShape shape =
      fitted_shape(with, settings_.window_bits, history != nullptr ? history->reach() : 0, text.size());
  if (history != nullptr && settings_.is_history_auto) adapt_reach(*history, text, shape, scratch);
  const bool shrank = codecs_.encoders.compress(text, shape, history, scratch);
  record_whole(with, text.size(), shrank ? scratch.size() : text.size());
  return {shrank ? Bypass::none : Bypass::no_gain, false, scratch.view()};
}

void Compressor::adapt_reach(History& history, base::Bytes text, EncoderShape shape,
                             base::ByteQueue& scratch) {
  const std::size_t reach = history.reach();
  const std::size_t free = codecs_.budget.free();
  const std::size_t limit = codecs_.budget.limit();
  if (reach > kFirstReach && free < limit / kShort) {
    history.set_reach(reach / 2);
    trial_ = {};
    return;
  }
  // With half of the memory taken, or CPU asked for rather than ratio, it stays as it is.
  const bool may_grow = free >= limit / 2 && level() > kFast;
  const std::size_t most = may_grow ? most_reach(settings_) : reach;
  switch (trial_.next(history.size(), reach, most)) {
    case ReachTrial::Step::nothing:
      break;
    case ReachTrial::Step::double_reach:
      history.set_reach(reach * 2);
      break;
    case ReachTrial::Step::sample: {
      const base::Bytes past = history.text();
      const std::size_t with = size_behind(past, text, shape, scratch);
      const std::size_t without = size_behind(past.last(past.size() / 2), text, shape, scratch);
      if (trial_.sampled(with, without, reach)) history.set_reach(reach / 2);
      break;
    }
  }
}

std::size_t Compressor::size_behind(base::Bytes past, base::Bytes text, EncoderShape shape,
                                    base::ByteQueue& scratch) {
  Stamp stamp = 0;
  const bool shrank = codecs_.encoders.compress(text, shape, past, stamp, scratch);
  codecs_.encoders.leave(stamp);
  const std::size_t size = shrank ? scratch.size() : text.size();
  scratch.clear();
  return size;
}

Bypass Compressor::begin(base::Bytes sample, std::uint64_t size, std::optional<MessageEncoder>& encoder) {
  if (const Bypass bypass = policy_.decide(sample, size); bypass != Bypass::none) return bypass;
  encoder = codecs_.encoders.begin({method(size), settings_.window_bits}, own_history());
  if (!encoder) return Bypass::memory;
  // It refers to nothing, and nothing will refer to it: a feed's members stay equal.
  if (shares()) std::get<SharedPlace>(past_).forget();
  return Bypass::none;
}

void Compressor::go_alone() {
  const SharedPlace place = std::move(std::get<SharedPlace>(past_));
  habit_.change_sides();
  last_ = Last::settled;
  if (!keeps_history()) {
    past_.emplace<Nothing>();
    return;
  }
  History& history = past_.emplace<History>(first_reach(settings_), History::Keep::may_forget, codecs_.shelf);
  codecs_.shared.continue_in(place, history);
}

void Compressor::go_shared() {
  if (const History* history = own_history()) codecs_.encoders.leave(history->stamp());
  past_.emplace<SharedPlace>(codecs_.shared, settings_.window_bits);
  habit_.change_sides();
}

History* Compressor::own_history() {
  return std::get_if<History>(&past_);
}

}  // namespace wsproxy::deflate
