#pragma once

#include <array>
#include <cstddef>

#include "deflate/budget.hpp"

namespace wsproxy::deflate {

/// Memory for what comes and goes with every message. Blocks that are given back are kept, up to a bound,
/// for the next ones of about their size, so that a steady flow allocates nothing. Whole classes are
/// charged to the budget, which outlives the store, and what is kept counts as well.
class BlockStore {
 public:
  explicit BlockStore(Budget& budget) : budget_(budget) {}
  ~BlockStore() { release(); }
  BlockStore(const BlockStore&) = delete;
  BlockStore& operator=(const BlockStore&) = delete;

  /// Aligned for every type; null without memory for it.
  void* take(std::size_t size);
  /// A block that take(size) gave.
  void give_back(void* block, std::size_t size);
  /// What the next blocks may take together.
  std::size_t free() const { return budget_.free() + kept_; }

  /// Gives back what is of a size that was not asked for since the call before, and little by little what was
  /// not needed. To be called every housekeeping round.
  void trim();
  /// Gives back all that is kept.
  void release();

 private:
  /// A block while it is kept.
  struct Kept {
    Kept* next;
  };
  struct Class {
    Kept* first = nullptr;
    std::size_t count = 0;
    std::size_t least = 0;  // that it had since the last trim
    bool is_used = false;   // since then
  };
  static constexpr std::size_t kClasses = 48;

  void release(std::size_t index, std::size_t count);

  Budget& budget_;
  std::array<Class, kClasses> classes_{};
  std::size_t kept_ = 0;  // bytes
};

}  // namespace wsproxy::deflate
