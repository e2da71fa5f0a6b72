#include "websocket/mask_keys.hpp"

#include <set>

#include <catch2/catch.hpp>

namespace wsproxy::websocket {
namespace {

unsigned refills = 0;
unsigned next_word = 0;

/// Every four bytes differ from all others, so that a key used twice shows.
void count_up(base::MutableBytes block) {
  ++refills;
  REQUIRE(block.size() % 4 == 0);
  for (std::size_t at = 0; at < block.size(); at += 4) base::store_be32(&block[at], next_word++);
}

TEST_CASE("10.3: no masking key is used twice, and all of the randomness is used") {
  refills = 0;
  next_word = 0;
  MaskKeys keys{count_up};
  CHECK(refills == 0);
  std::set<std::uint32_t> seen;
  for (unsigned i = 0; i < 1024; ++i) {
    const MaskKey key = keys.next();
    CHECK(seen.insert(base::load_be32(key.data())).second);
  }
  CHECK(seen.size() == 1024);
  CHECK(next_word == 1024);
  CHECK(refills == 4);
}

}  // namespace
}  // namespace wsproxy::websocket
