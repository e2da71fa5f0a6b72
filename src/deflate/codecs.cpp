#include "deflate/codecs.hpp"

#include <algorithm>

namespace wsproxy::deflate {
namespace {

// Of its limit a budget keeps so much free: with less the shared histories start afresh.
constexpr std::size_t kFreePart = 32;
constexpr unsigned kMostRoundsToWait = 64;

}  // namespace

Codecs::Codecs(const Plan& plan)
    : budget(plan.memory),
      shelf(budget),
      encoders(plan.encoders, budget),
      decoders(plan.decoders, budget),
      shared(encoders, budget, plan.seed),
      governor(plan.highest_level),
      observer(budget, governor, shared) {
  budget.set_relief(this);
}

std::size_t Codecs::end_round(std::size_t steps) {
  const std::size_t before = budget.used();
  encoders.retire_unused();
  decoders.retire_unused();
  shared.evict_unused();
  observer.end_round();
  shelf.sweep(steps);
  relieve_shared();
  return before > budget.used() ? before - budget.used() : 0;
}

void Codecs::relieve_shared() {
  const auto is_short = [this] { return budget.free() < budget.limit() / kFreePart; };
  if (!is_short() || ++rounds_short_ < rounds_to_wait_) return;
  rounds_short_ = 0;
  frames_evicted_ += shared.give_up(true);
  // Where others have taken it all, feeds are not made to start afresh each round for nothing.
  rounds_to_wait_ = is_short() ? std::min(rounds_to_wait_ * 2, kMostRoundsToWait) : 1;
}

void Codecs::make_room(std::size_t bytes) {
  encoders_freed_ += encoders.retire_standing(EncoderPool::Which::unused);
  if (budget.free() >= bytes) return;
  encoders_freed_ += encoders.retire_standing(EncoderPool::Which::all);
  if (budget.free() >= bytes) return;
  frames_evicted_ += shared.give_up(false);
  if (budget.free() >= bytes) return;
  shelf.reclaim(bytes);
}

Codecs::Sacrificed Codecs::sacrificed() const {
  const HistoryShelf::Counts histories = shelf.counts();
  return {encoders_freed_, frames_evicted_, histories.put_to_sleep, histories.shrunk, histories.dropped};
}

}  // namespace wsproxy::deflate
