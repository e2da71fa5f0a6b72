#include "websocket/mask.hpp"

#include <algorithm>
#include <vector>

#include <catch2/catch.hpp>

#include "support/frame_bytes.hpp"

namespace wsproxy::websocket {
namespace {

std::vector<std::byte> numbered(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((i * 31 + 5) & 0xff);
  return bytes;
}

/// RFC 6455 section 5.3, as it is written there.
std::vector<std::byte> masked_naively(std::vector<std::byte> bytes, MaskKey key, std::uint64_t offset) {
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] ^= key[(offset + i) % 4];
  return bytes;
}

TEST_CASE("5.3: masking gives what the RFC's formula gives, at every offset, size and alignment") {
  constexpr std::byte kGuard{0xEE};
  for (std::uint64_t offset = 0; offset < 8; ++offset) {
    for (std::size_t size = 0; size <= 70; ++size) {
      for (std::size_t alignment = 0; alignment < 8; ++alignment) {
        const auto plain = numbered(size);
        const auto expected = masked_naively(plain, test::kSomeKey, offset);

        std::vector<std::byte> memory(alignment + size + 1, kGuard);
        std::copy(plain.begin(), plain.end(), memory.begin() + static_cast<std::ptrdiff_t>(alignment));
        const base::MutableBytes in_place{memory.data() + alignment, size};
        apply_mask(in_place, test::kSomeKey, offset);
        const bool same_in_place = std::equal(in_place.begin(), in_place.end(), expected.begin());

        std::vector<std::byte> copy(alignment + size + 1, kGuard);
        apply_mask(plain, copy.data() + alignment, test::kSomeKey, offset);
        const bool same_copied = std::equal(expected.begin(), expected.end(),
                                            copy.begin() + static_cast<std::ptrdiff_t>(alignment));

        if (!same_in_place || !same_copied || memory.back() != kGuard || copy.back() != kGuard) {
          FAIL("offset " << offset << ", size " << size << ", alignment " << alignment);
        }
      }
    }
  }
}

TEST_CASE("5.3: large payloads and offsets past 2^32 are masked alike") {
  const auto plain = numbered(100003);
  for (const std::uint64_t offset :
       {std::uint64_t{0}, (std::uint64_t{1} << 32) + 3, (std::uint64_t{1} << 62) + 1}) {
    auto bytes = plain;
    apply_mask(bytes, test::kSomeKey, offset);
    CHECK(bytes == masked_naively(plain, test::kSomeKey, offset));
    apply_mask(bytes, test::kSomeKey, offset);
    CHECK(bytes == plain);
  }
}

TEST_CASE("5.3: a payload may be masked in pieces cut anywhere") {
  const auto plain = numbered(40);
  const auto expected = masked_naively(plain, test::kSomeKey, 0);
  for (std::size_t cut = 0; cut <= plain.size(); ++cut) {
    auto bytes = plain;
    apply_mask(base::MutableBytes{bytes}.first(cut), test::kSomeKey, 0);
    apply_mask(base::MutableBytes{bytes}.subspan(cut), test::kSomeKey, cut);
    CHECK(bytes == expected);
  }
}

}  // namespace
}  // namespace wsproxy::websocket
