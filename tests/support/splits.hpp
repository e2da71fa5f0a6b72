#pragma once

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/bytes.hpp"

namespace wsproxy::test {

/// The same bytes, cut: what one read after the other would bring. Pieces may be empty. Each piece is
/// memory of its own, so that a sanitizer sees a parser that reads past it.
struct Split {
  std::string name;
  std::vector<std::vector<std::byte>> pieces;
};

Split whole(base::Bytes bytes);
Split byte_by_byte(base::Bytes bytes);
/// The same seed gives the same cuts.
Split random_cuts(base::Bytes bytes, unsigned seed);

inline constexpr unsigned kRandomSplits = 20;

/// Whole, byte by byte, and at random cuts. A failure names the split; `--rng-seed` gives other cuts.
template <typename Function>
void for_each_split(base::Bytes bytes, Function check) {
  const auto run = [&check](Split split) {
    INFO("split: " << split.name);
    check(std::move(split));
  };
  run(whole(bytes));
  run(byte_by_byte(bytes));
  for (unsigned i = 0; i < kRandomSplits; ++i) run(random_cuts(bytes, Catch::rngSeed() * kRandomSplits + i));
}

}  // namespace wsproxy::test
