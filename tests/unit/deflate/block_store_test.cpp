#include "deflate/block_store.hpp"

#include <cstring>
#include <vector>

#include <catch2/catch.hpp>

#include "support/allocations.hpp"

namespace wsproxy::deflate {
namespace {

TEST_CASE("A block of every size holds that size, and all of them are charged and given back") {
  Budget budget{std::size_t{64} << 20};
  {
    BlockStore blocks{budget};
    for (std::size_t size = 1; size < 200000; size += 1 + size / 13) {
      void* const block = blocks.take(size);
      REQUIRE(block != nullptr);
      REQUIRE(budget.used() >= size);
      std::memset(block, 0x5a, size);
      blocks.give_back(block, size);
    }
    blocks.release();
    CHECK(budget.used() == 0);
    blocks.give_back(blocks.take(300), 300);
    CHECK(budget.used() > 0);
  }
  CHECK(budget.used() == 0);
}

TEST_CASE("A block that was given back serves the next one of about its size without the heap") {
  Budget budget{1 << 20};
  BlockStore blocks{budget};
  void* const block = blocks.take(300);
  blocks.give_back(block, 300);
  const std::size_t before = wsproxy::test::allocation_count();
  CHECK(blocks.take(310) == block);
  CHECK(wsproxy::test::allocation_count() == before);
  blocks.give_back(block, 310);
}

TEST_CASE("Blocks that are kept give way to one of another size when memory is short") {
  Budget budget{1000};
  BlockStore blocks{budget};
  blocks.give_back(blocks.take(800), 800);
  CHECK(blocks.free() == 1000);
  void* const block = blocks.take(500);
  CHECK(block != nullptr);
  CHECK(blocks.take(600) == nullptr);
  blocks.give_back(block, 500);
}

TEST_CASE("What is kept is bounded, and goes in the rounds after it was used last") {
  Budget budget{std::size_t{64} << 20};
  BlockStore blocks{budget};
  std::vector<void*> taken;
  for (int i = 0; i < 2000; ++i) taken.push_back(blocks.take(1024));
  for (void* block : taken) blocks.give_back(block, 1024);
  CHECK(budget.used() <= std::size_t{512} << 10);
  blocks.trim();
  CHECK(budget.used() > 0);
  blocks.trim();
  CHECK(budget.used() == 0);
}

}  // namespace
}  // namespace wsproxy::deflate
