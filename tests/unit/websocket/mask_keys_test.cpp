#include "websocket/mask_keys.hpp"

#include <cstring>
#include <set>

#include <catch2/catch.hpp>

namespace wsproxy::websocket {
namespace {

unsigned refills = 0;
std::uint32_t next_word = 0;

/// Every four bytes differ from all others, so that a key used twice shows.
void count_up(base::MutableBytes block) {
  ++refills;
  REQUIRE(block.size() % 4 == 0);
  for (std::size_t at = 0; at < block.size(); at += 4) {
    std::memcpy(&block[at], &next_word, 4);
    ++next_word;
  }
}

TEST_CASE("10.3: no masking key is used twice, and all of the randomness is used") {
  refills = 0;
  next_word = 0;
  MaskKeys keys{count_up};
  CHECK(refills == 0);
  std::set<MaskKey> seen;
  for (unsigned i = 0; i < 1024; ++i) {
    CHECK(seen.insert(keys.next()).second);
  }
  CHECK(seen.size() == 1024);
  CHECK(next_word == 1024);
  CHECK(refills == 4);
}

}  // namespace
}  // namespace wsproxy::websocket
