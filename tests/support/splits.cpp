#include "support/splits.hpp"

#include <algorithm>
#include <random>

namespace wsproxy::test {

Split whole(base::Bytes bytes) {
  return {"whole", {{bytes.begin(), bytes.end()}}};
}

Split byte_by_byte(base::Bytes bytes) {
  Split split{"byte by byte", {}};
  for (const std::byte byte : bytes) split.pieces.push_back({byte});
  return split;
}

Split random_cuts(base::Bytes bytes, unsigned seed) {
  Split split{"random cuts, seed " + std::to_string(seed), {}};
  std::mt19937 random{seed};
  // Short pieces cut headers, long ones go past them.
  const std::size_t longest = std::size_t{1} << (1 + random() % 8);
  while (!bytes.empty()) {
    const std::size_t size = std::min<std::size_t>(random() % (longest + 1), bytes.size());
    split.pieces.emplace_back(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    bytes = bytes.subspan(size);
  }
  return split;
}

}  // namespace wsproxy::test
