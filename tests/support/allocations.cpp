#include "support/allocations.hpp"

#include <cstdlib>
#include <new>

namespace wsproxy::test {
namespace {

thread_local std::size_t allocated = 0;
thread_local FailingAllocations* failing = nullptr;

}  // namespace

std::size_t allocation_count() {
  return allocated;
}

FailingAllocations::FailingAllocations(std::size_t& next, std::size_t first, std::size_t last)
    : next_(next), first_(first), last_(last) {
  failing = this;
}

FailingAllocations::~FailingAllocations() {
  failing = nullptr;
}

bool allocation_fails() {
  if (failing == nullptr) return false;
  const std::size_t number = failing->next_++;
  return number >= failing->first_ && number <= failing->last_;
}

}  // namespace wsproxy::test

namespace {

void* allocate(std::size_t size) {
  ++wsproxy::test::allocated;
  return wsproxy::test::allocation_fails() ? nullptr : std::malloc(size == 0 ? 1 : size);
}

}  // namespace

void* operator new(std::size_t size) {
  void* const block = allocate(size);
  if (block == nullptr) throw std::bad_alloc{};
  return block;
}

void* operator new[](std::size_t size) {
  return operator new(size);
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}

void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}

void operator delete(void* block) noexcept {
  std::free(block);
}

void operator delete[](void* block) noexcept {
  std::free(block);
}

void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}

void operator delete[](void* block, std::size_t) noexcept {
  std::free(block);
}
