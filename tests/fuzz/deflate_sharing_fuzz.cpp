// The bytes decide what happens to some connections of one worker that share their histories: who joins and
// leaves, what is sent to whom, what is given up, and how much memory there is. A plain inflater a connection
// judges, and at the end nothing may be left.

#include <cstdint>
#include <span>

#include "unit/deflate/sharing_world.hpp"

namespace {

/// One byte a decision, two for larger bounds; zeros when they are used up.
class Bytes {
 public:
  explicit Bytes(std::span<const std::uint8_t> bytes) : left_(bytes) {}

  std::size_t below(std::size_t bound) {
    std::size_t value = next();
    if (bound > 256) value = value << 8U | next();
    return value % bound;
  }
  bool empty() const { return left_.empty(); }

 private:
  std::size_t next() {
    if (left_.empty()) return 0;
    const std::size_t value = left_.front();
    left_ = left_.subspan(1);
    return value;
  }

  std::span<const std::uint8_t> left_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMostSteps = 2000;
  Bytes bytes{{data, size}};
  wsproxy::deflate::test::SharingWorld<Bytes> world{bytes, 12};
  for (std::size_t i = 0; i < kMostSteps && !bytes.empty(); ++i) world.step();
  world.end();
  return 0;
}
