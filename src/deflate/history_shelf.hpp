#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "deflate/budget.hpp"
#include "deflate/text_packer.hpp"

namespace wsproxy::deflate {

class History;

/// All histories of one worker that own memory: puts to sleep what nobody uses, and takes memory from
/// the coldest when the budget has none. Not thread-safe; outlives its histories.
class HistoryShelf {
 public:
  explicit HistoryShelf(Budget& budget) : budget_(&budget), packer_(budget) {}
  HistoryShelf(const HistoryShelf&) = delete;
  HistoryShelf& operator=(const HistoryShelf&) = delete;
  Budget& budget() { return *budget_; }

  /// One housekeeping round: histories of a KB or more that were not used in the two rounds before go to
  /// sleep. A step is one history of up to 4 KB; the next call goes on where this one stopped. Returns
  /// how much memory that gave back.
  std::size_t sweep(std::size_t max_steps);
  /// The same within the round, for those that it has not come to. Returns how many these still are.
  std::size_t sweep_on(std::size_t max_steps);

  /// Takes memory from may_forget histories that were not used in the present round, the coldest first:
  /// they shrink to a quarter, and when that is not enough they are dropped. Stops when the budget has
  /// `bytes` free, and says whether. Bounded work for each call and for each round.
  bool reclaim(std::size_t bytes);

  /// What the must_keep histories that exist would take when all of them are full.
  std::size_t promised() const { return promised_; }

  struct Counts {
    std::size_t held = 0;            // histories that own memory
    std::size_t asleep = 0;          // of these
    std::uint64_t put_to_sleep = 0;  // so far
    std::uint64_t shrunk = 0;        // so far, by reclaim
    std::uint64_t dropped = 0;       // so far, by reclaim
  };
  Counts counts() const { return {histories_.size(), asleep_, put_to_sleep_, shrunk_, dropped_}; }

 private:
  friend class History;

  bool add(History& history);
  void remove(std::uint32_t place);
  void replace(std::uint32_t place, History& history) { histories_[place] = &history; }

  std::size_t age(const History& history) const;
  bool may_sleep(const History& history) const;
  void sacrifice(History& history);

  Budget* budget_;
  TextPacker packer_;
  std::vector<History*> histories_;
  std::size_t promised_ = 0;
  std::size_t asleep_ = 0;
  std::size_t sweep_hand_ = 0;
  std::size_t reclaim_hand_ = 0;  // goes down to 0 in each stage
  std::size_t reclaim_stage_ = 0;
  std::size_t sweep_left_ = 0;  // of this round
  std::size_t given_back_ = 0;
  std::uint64_t put_to_sleep_ = 0;
  std::uint64_t shrunk_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint16_t round_ = 0;
};

}  // namespace wsproxy::deflate
