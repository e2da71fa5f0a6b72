#include "websocket/mask.hpp"

#include <bit>
#include <cstring>

namespace wsproxy::websocket {

namespace {

/// Inlined into both callers, so that the compiler knows for each whether the two sides are the same
/// memory and can vectorise the loop over words without asking at run time.
[[gnu::always_inline]] inline void mask_into(const std::byte* from, std::byte* to, std::size_t size,
                                             MaskKey key, std::uint64_t offset) {
  // The key as a word whose first byte in memory is the one for `offset`, twice.
  const auto key_word = std::bit_cast<std::uint32_t>(key);
  const int turn = 8 * static_cast<int>(offset % key.size());
  const std::uint64_t turned =
      std::endian::native == std::endian::little ? std::rotr(key_word, turn) : std::rotl(key_word, turn);
  const std::uint64_t pattern_word = turned << 32 | turned;

  const std::size_t words = size / sizeof pattern_word;
  for (std::size_t i = 0; i < words; ++i) {
    std::uint64_t word;
    std::memcpy(&word, from + i * sizeof word, sizeof word);
    word ^= pattern_word;
    std::memcpy(to + i * sizeof word, &word, sizeof word);
  }
  for (std::size_t i = words * sizeof pattern_word; i < size; ++i) {
    to[i] = from[i] ^ key[(offset + i) % key.size()];
  }
}

}  // namespace

void apply_mask(base::MutableBytes payload, MaskKey key, std::uint64_t offset) {
  mask_into(payload.data(), payload.data(), payload.size(), key, offset);
}

void apply_mask(base::Bytes payload, std::byte* to, MaskKey key, std::uint64_t offset) {
  mask_into(payload.data(), to, payload.size(), key, offset);
}

}  // namespace wsproxy::websocket
