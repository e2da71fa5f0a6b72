#pragma once

#include <cstddef>

namespace wsproxy::test {

// Watches this thread's `operator new`, in programs that are built with allocations.cpp.

std::size_t allocation_count();

/// While it exists, allocations are numbered on from `next`, and those from `first` to `last` fail. Not
/// nested.
class FailingAllocations {
 public:
  FailingAllocations(std::size_t& next, std::size_t first, std::size_t last);
  ~FailingAllocations();
  FailingAllocations(const FailingAllocations&) = delete;
  FailingAllocations& operator=(const FailingAllocations&) = delete;

 private:
  friend bool allocation_fails();
  std::size_t& next_;
  std::size_t first_;
  std::size_t last_;
};

}  // namespace wsproxy::test
