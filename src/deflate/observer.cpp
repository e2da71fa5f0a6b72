#include "deflate/observer.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "deflate/encoder.hpp"
#include "deflate/trial_text.hpp"

namespace wsproxy::deflate {
namespace {

// Observing leaves this part of the budget to others.
constexpr std::size_t kLeftForOthers = 8;

// A connection that is taken up in the middle of its life is not tried before its text is about what a real
// history would be by then.
constexpr std::uint32_t kWarmUp = 64;  // messages

// Then it makes room for another one that waits.
constexpr std::uint32_t kTurn = 512;  // messages

constexpr std::size_t kTailSize = 4;  // 00 00 ff ff
constexpr std::uint8_t kWithoutStatic = 16;
constexpr std::size_t kHashed = 4096;  // of a message, to tell a broadcast

}  // namespace

struct Observer::Slot {
  explicit Slot(std::uint32_t of, const ObserverSettings& settings)
      : owner(of), policy(settings.min_size, settings.is_adaptive) {}

  std::uint32_t owner;
  bool is_warm = false;
  std::uint32_t messages = 0;
  std::uint64_t used_at = 0;
  TrialText past;
  base::ByteQueue held;  // of a message that comes in pieces
  std::size_t held_charged = 0;
  CompressionPolicy policy;
  std::uint8_t without_static = 0;  // as in Compressor
};

Observer::Observer(Budget& budget, const Governor& governor, const SharedHistories& shared)
    : budget_(budget), governor_(governor), shared_(shared) {
}

Observer::~Observer() {
  for (auto& slot : slots_) {
    if (slot) release(*slot);
  }
}

std::size_t Observer::slots_in_use() const {
  return static_cast<std::size_t>(std::ranges::count_if(slots_, [](const auto& slot) { return !!slot; }));
}

void Observer::end_round() {
  std::erase_if(encoders_, [](const Encoder& one) { return !one.is_used; });
  for (Encoder& one : encoders_) one.is_used = false;
  if (encoders_.empty()) packed_.release();
}

bool Observer::spares(std::size_t bytes) const {
  return budget_.free() >= bytes + budget_.limit() / kLeftForOthers;
}

Observer::Slot* Observer::slot_of(std::uint32_t connection, std::size_t index) {
  return index < slots_.size() && slots_[index] && slots_[index]->owner == connection ? slots_[index].get()
                                                                                      : nullptr;
}

void Observer::release(Slot& slot) {
  budget_.release(TrialText::kMemory + slot.held_charged);
  std::ranges::find_if(slots_, [&slot](const auto& one) { return one.get() == &slot; })->reset();
}

std::uint32_t Observer::random() {
  random_ ^= random_ << 13U;
  random_ ^= random_ >> 7U;
  random_ ^= random_ << 17U;
  return static_cast<std::uint32_t>(random_ >> 16U);
}

bool Observer::is_due(std::uint32_t every, std::uint64_t now) {
  debt_ -= std::min(debt_, (now - earned_at_) / kPart);
  earned_at_ = now;
  if (messages_due_ < next_cost_) return false;
  messages_due_ -= next_cost_;
  // By chance, so that a rhythm of the messages is no rhythm of the sample.
  next_cost_ = 1 + random() % (2 * std::uint64_t{every} - 1);
  return debt_ < kCredit && !governor_.is_cpu_short();
}

LiveEncoder* Observer::encoder(EncoderShape shape) {
  for (Encoder& one : encoders_) {
    if (one.shape != shape) continue;
    one.is_used = true;
    return one.encoder.get();
  }
  if (!spares(memory_of(shape))) return nullptr;
  encoders_.push_back({shape, make_live_encoder(shape, budget_), true});
  return encoders_.back().encoder.get();
}

void Observer::try_out(Slot& slot, base::Bytes text, const ObserverSettings& settings, Clock clock,
                       Observation& result) {
  const std::uint64_t begun = clock();
  const std::size_t chosen = turns_.next(static_cast<std::size_t>(std::bit_width(text.size())));
  const Trial& trial = kTrials.at(chosen);
  result.output = result.size;
  result.bypass = slot.policy.decide(text);
  if (result.bypass == Bypass::none && text.size() > 1) {
    const std::size_t window = std::size_t{1} << settings.window_bits;
    const base::Bytes past = slot.past.last(std::min(trial.reach, window));
    const Method method =
        method_for(settings.engine, trial.level, text.size(), !past.empty() && slot.without_static == 0);
    LiveEncoder* const with = encoder(fitted_shape(method, settings.window_bits, past.size(), text.size()));
    if (with == nullptr) return;
    const std::uint64_t before_priming = clock();
    with->prime(past);
    const std::uint64_t primed = clock();
    const bool shrank = with->run(text, LiveEncoder::Flush::sync, packed_, text.size() + kTailSize);
    // An encoder that stands need not be primed, but one without a past is reset for each message.
    result.nanoseconds = clock() - (past.empty() ? before_priming : primed);
    const std::size_t packed = shrank ? packed_.size() - kTailSize : text.size();
    packed_.clear();
    slot.policy.record(text.size(), packed);
    if (slot.without_static > 0) --slot.without_static;
    const bool is_static = method == Method{Engine::isal, 0};
    if (is_static && packed > text.size() - text.size() / 8) slot.without_static = kWithoutStatic;
    if (!shrank) result.bypass = Bypass::no_gain;
    // The beginning stands for all of a large one.
    const double scale = static_cast<double>(result.size) / static_cast<double>(text.size());
    result.output = static_cast<std::uint64_t>(static_cast<double>(packed) * scale);
    result.nanoseconds = static_cast<std::uint64_t>(static_cast<double>(result.nanoseconds) * scale);
  } else if (result.bypass == Bypass::none) {
    result.bypass = Bypass::no_gain;
  }
  result.tried = chosen;
  result.spent = clock() - begun;
  debt_ += result.spent;
}

Observer::Slot* Observer::take_slot(std::uint32_t connection, const ObserverSettings& settings,
                                    std::uint64_t now) {
  if (slots_.empty()) slots_.resize(kSlots);
  const auto vacant = std::ranges::find_if(slots_, [](const auto& slot) { return !slot; });
  const auto place = vacant != slots_.end() ? vacant : std::ranges::find_if(slots_, [now](const auto& slot) {
    return now - slot->used_at > kIdle;
  });
  if (place == slots_.end()) {
    is_wanted_ = true;
    return nullptr;
  }
  if (*place) release(**place);
  if (!spares(TrialText::kMemory)) return nullptr;
  *place = std::make_unique<Slot>(connection, settings);
  budget_.reserve(TrialText::kMemory);
  return place->get();
}

std::uint32_t Observer::place_of(const Slot& slot) const {
  return static_cast<std::uint32_t>(
      std::ranges::find_if(slots_, [&slot](const auto& one) { return one.get() == &slot; }) - slots_.begin());
}

void Observer::hold(Slot& slot, base::Bytes text) {
  slot.held.append(text.first(std::min(text.size(), kMostText - std::min(kMostText, slot.held.size()))));
  const std::size_t charged = slot.held.capacity();
  budget_.reserve(charged - slot.held_charged);
  slot.held_charged = charged;
}

void Observer::let_go(Slot& slot) {
  slot.held.release();
  budget_.release(std::exchange(slot.held_charged, 0));
}

bool Observer::is_broadcast(base::Bytes text, std::uint32_t connection) {
  if (!sightings_) sightings_ = std::make_unique<Sightings>();
  const std::uint64_t hash = shared_.hash(text.first(std::min(text.size(), kHashed)));
  return sightings_->see(hash + text.size(), connection);
}

ObservedConnection::ObservedConnection(const ObserverSettings& settings, Observer& observer)
    : settings_(settings), observer_(observer), id_(++observer.last_connection_) {
  if (id_ == 0) id_ = ++observer.last_connection_;
}

ObservedConnection::~ObservedConnection() {
  if (Observer::Slot* const slot = observer_.slot_of(id_, slot_)) observer_.release(*slot);
}

std::optional<Observation> ObservedConnection::on_piece(base::Bytes text, bool is_last,
                                                        Observer::Clock clock) {
  const bool is_whole = is_last && size_ == 0;
  size_ += text.size();
  Observer::Slot* slot = observer_.slot_of(id_, slot_);
  if (!is_last) {
    if (slot != nullptr) observer_.hold(*slot, text);
    return std::nullopt;
  }
  Observation result{.size = std::exchange(size_, 0)};
  ++observer_.messages_due_;
  const std::uint64_t now = clock();
  if (is_whole) {
    result.is_broadcast = observer_.is_broadcast(text, id_);
    if (slot == nullptr) slot = take_slot(now);
  } else if (slot != nullptr) {
    observer_.hold(*slot, text);
    text = slot->held.view();
  }
  is_new_ = false;
  if (slot == nullptr) return result;
  slot->used_at = now;
  learn(*slot, text.first(std::min(text.size(), Observer::kMostText)), clock, now, result);
  observer_.let_go(*slot);
  if (slot->messages >= kTurn && observer_.is_wanted_) {
    observer_.is_wanted_ = false;
    observer_.release(*slot);
  }
  return result;
}

Observer::Slot* ObservedConnection::take_slot(std::uint64_t now) {
  Observer::Slot* const slot = observer_.take_slot(id_, settings_, now);
  if (slot == nullptr) return nullptr;
  slot_ = observer_.place_of(*slot);
  slot->is_warm = is_new_;
  return slot;
}

void ObservedConnection::learn(Observer::Slot& slot, base::Bytes text, Observer::Clock clock,
                               std::uint64_t now, Observation& result) {
  ++slot.messages;
  if (!slot.is_warm && (slot.messages >= kWarmUp || slot.past.size() >= TrialText::kReach)) {
    slot.is_warm = true;
    slot.messages = 0;
  }
  if (slot.is_warm && observer_.is_due(settings_.every, now)) {
    observer_.try_out(slot, text, settings_, clock, result);
  }
  // What would go raw enters no history.
  const bool would_go_raw = result.bypass != Bypass::none || text.size() < settings_.min_size ||
                            (settings_.is_adaptive && looks_incompressible(text));
  if (!would_go_raw) slot.past.append(text);
}

}  // namespace wsproxy::deflate
