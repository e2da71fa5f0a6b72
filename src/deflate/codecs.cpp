#include "deflate/codecs.hpp"

namespace wsproxy::deflate {
namespace {

// Of its limit a budget keeps so much free: with less the shared histories start afresh.
constexpr std::size_t kFreePart = 32;

}  // namespace

Codecs::Codecs(const Plan& plan)
    : budget(plan.memory),
      shelf(budget),
      encoders(plan.encoders, budget),
      decoders(plan.decoders, budget),
      shared(encoders, budget, plan.seed),
      governor(plan.highest_level) {
  budget.set_relief(this);
}

std::size_t Codecs::end_round(std::size_t steps) {
  const std::size_t before = budget.used();
  encoders.retire_unused();
  decoders.retire_unused();
  shared.evict_unused();
  shelf.sweep(steps);
  if (budget.free() < budget.limit() / kFreePart) frames_evicted_ += shared.give_up(true);
  return before > budget.used() ? before - budget.used() : 0;
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
