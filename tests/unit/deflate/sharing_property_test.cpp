#include <catch2/catch.hpp>

#include "unit/deflate/sharing_world.hpp"

namespace wsproxy::deflate {
namespace {

using test::SharingWorld;

struct Chance {
  explicit Chance(std::uint32_t seed) : random(seed) {}
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>{0, bound - 1}(random);
  }
  std::mt19937 random;
};

TEST_CASE("Whatever connections of a worker share, each message of each is inflated to what was sent") {
  std::size_t joined = 0;
  std::size_t known = 0;
  std::size_t compressed = 0;
  for (std::uint32_t seed = 0; seed < 150; ++seed) {
    INFO("seed " << seed);
    Chance chance{seed};
    SharingWorld<Chance> world{chance, 3 + seed % 30};
    for (int i = 0; i < 600; ++i) world.step();
    world.end();
    joined += world.joined();
    known += world.known();
    compressed += world.compressed();
  }
  INFO(joined << " connections, " << known << " known, " << compressed << " compressed");
  CHECK(joined > 3000);
  CHECK(known > 10000);
  CHECK(compressed > 10000);
}

}  // namespace
}  // namespace wsproxy::deflate
