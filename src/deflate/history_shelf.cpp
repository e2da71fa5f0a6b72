#include "deflate/history_shelf.hpp"

#include <algorithm>
#include <array>
#include <new>

#include "deflate/history.hpp"

namespace wsproxy::deflate {
namespace {

constexpr std::size_t kLeastAsleep = 1024;  // below this a block saves too little to be worth waking
constexpr std::size_t kRoundsUnused = 2;
constexpr std::size_t kStep = 4096;         // bytes to compress
constexpr std::size_t kVisitsPerStep = 16;  // a look at a history costs that much less

constexpr std::size_t kLeastShrunk = 1024;
constexpr std::size_t kVisitsPerReclaim = 64;

/// The order of sacrifice; each stage is one pass over the shelf.
struct Stage {
  std::size_t least_age;
  bool drops;
};
constexpr std::array kStages{Stage{8, false}, Stage{1, false}, Stage{8, true}, Stage{1, true}};

}  // namespace

bool HistoryShelf::add(History& history) {
  try {
    histories_.push_back(&history);
  } catch (const std::bad_alloc&) {
    return false;
  }
  history.place_ = static_cast<std::uint32_t>(histories_.size() - 1);
  return true;
}

void HistoryShelf::remove(std::uint32_t place) {
  histories_[place] = histories_.back();
  histories_[place]->place_ = place;
  histories_.pop_back();
}

/// In rounds since its last use; what was used since the last sweep has age 0.
std::size_t HistoryShelf::age(const History& history) const {
  return static_cast<std::uint16_t>(round_ - history.used_round_);
}

bool HistoryShelf::may_sleep(const History& history) const {
  return age(history) > kRoundsUnused && history.size() >= kLeastAsleep && !history.is_asleep() &&
         !history.resists_;
}

std::size_t HistoryShelf::sweep(std::size_t max_steps) {
  ++round_;
  reclaim_stage_ = 0;
  reclaim_hand_ = histories_.size();
  sweep_left_ = histories_.size();
  given_back_ = 0;
  sweep_on(max_steps);
  return given_back_ + packer_.retire_unused();
}

std::size_t HistoryShelf::sweep_on(std::size_t max_steps) {
  std::size_t visits = max_steps * kVisitsPerStep;
  for (std::size_t steps = 0; sweep_left_ > 0 && visits > 0 && steps < max_steps; --visits, --sweep_left_) {
    if (histories_.empty()) break;
    if (sweep_hand_ >= histories_.size()) sweep_hand_ = 0;
    History& history = *histories_[sweep_hand_++];
    // The codec may take its memory from this very history.
    if (!may_sleep(history) || !packer_.get_ready() || !may_sleep(history)) continue;
    steps += (history.size() + kStep - 1) / kStep;
    const std::size_t before = history.memory();
    if (history.sleep(packer_)) ++put_to_sleep_;
    given_back_ += before - history.memory();
  }
  if (histories_.empty()) sweep_left_ = 0;
  return sweep_left_;
}

bool HistoryShelf::reclaim(std::size_t bytes) {
  std::size_t visits = 0;
  while (budget_->free() < bytes) {
    if (reclaim_hand_ == 0) {
      if (reclaim_stage_ + 1 >= kStages.size()) return false;
      ++reclaim_stage_;
      reclaim_hand_ = histories_.size();
      continue;
    }
    if (visits++ >= kVisitsPerReclaim) return false;
    // Downward: what takes the place of one that is dropped has had its turn.
    if (--reclaim_hand_ < histories_.size()) sacrifice(*histories_[reclaim_hand_]);
  }
  return true;
}

void HistoryShelf::sacrifice(History& history) {
  const Stage stage = kStages[reclaim_stage_];
  if (history.keep_ == History::Keep::must_keep || age(history) < stage.least_age) return;
  if (stage.drops) {
    history.forget();
    ++dropped_;
    return;
  }
  const std::size_t target = std::max(kLeastShrunk, history.memory() / 4);
  if (history.is_asleep() || target >= history.memory()) return;
  history.shrink_to(target);
  ++shrunk_;
}

}  // namespace wsproxy::deflate
