#include "deflate/block_store.hpp"

#include <algorithm>
#include <bit>
#include <new>

namespace wsproxy::deflate {
namespace {

// What all classes keep together, beyond what is in use.
constexpr std::size_t kMostKept = std::size_t{512} << 10;

// Of a size that is in use so many bytes are kept in every case: what is needed differs from round to round.
constexpr std::size_t kSlack = std::size_t{16} << 10;

// Four classes a doubling, so at most a fifth of a block is not used: 64, 80, 96, 112, 128, ... up to 128
// KiB.
constexpr unsigned kSmallestBits = 6;
constexpr std::size_t kSmallest = std::size_t{1} << kSmallestBits;
constexpr std::size_t kLargest = std::size_t{128} << 10;

struct Fit {
  std::size_t index;
  std::size_t size;
};

Fit fit(std::size_t size) {
  size = std::max(size, kSmallest);
  const auto bits = static_cast<unsigned>(std::bit_width(size - 1));
  const unsigned step_bits = bits - 3;
  const std::size_t steps = (size + (std::size_t{1} << step_bits) - 1) >> step_bits;  // 5..8
  return {(bits - kSmallestBits) * 4 + steps - 5, steps << step_bits};
}

/// The size of the blocks of a class.
std::size_t size_of(std::size_t index) {
  return (index % 4 + 5) << (index / 4 + kSmallestBits - 3);
}

}  // namespace

void* BlockStore::take(std::size_t size) {
  if (size <= kLargest) {
    const Fit fitting = fit(size);
    Class& of = classes_[fitting.index];
    of.is_used = true;
    if (of.first != nullptr) {
      Kept* const block = of.first;
      of.first = block->next;
      of.least = std::min(of.least, --of.count);
      kept_ -= fitting.size;
      return block;
    }
    size = fitting.size;
  }
  if (size > budget_.free()) release();
  if (!budget_.try_reserve(size)) return nullptr;
  void* const block = ::operator new(size, std::nothrow);
  if (block == nullptr) budget_.release(size);
  return block;
}

void BlockStore::give_back(void* block, std::size_t size) {
  if (size <= kLargest) {
    const Fit fitting = fit(size);
    size = fitting.size;
    if (kept_ + size <= kMostKept) {
      Class& of = classes_[fitting.index];
      of.first = new (block) Kept{of.first};
      ++of.count;
      kept_ += size;
      return;
    }
  }
  ::operator delete(block);
  budget_.release(size);
}

void BlockStore::trim() {
  for (std::size_t i = 0; i < kClasses; ++i) {
    Class& of = classes_[i];
    const std::size_t slack = kSlack / size_of(i);
    const std::size_t needless = of.least > slack ? (of.least - slack) / 4 : 0;
    release(i, of.is_used ? needless : of.count);
    of.least = of.count;
    of.is_used = false;
  }
}

void BlockStore::release() {
  for (std::size_t i = 0; i < kClasses; ++i) {
    release(i, classes_[i].count);
    classes_[i].least = 0;
  }
}

void BlockStore::release(std::size_t index, std::size_t count) {
  Class& of = classes_[index];
  const std::size_t size = size_of(index);
  for (; count > 0; --count) {
    Kept* const block = of.first;
    of.first = block->next;
    --of.count;
    ::operator delete(block);
    kept_ -= size;
    budget_.release(size);
  }
}

}  // namespace wsproxy::deflate
