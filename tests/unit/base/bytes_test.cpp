#include "base/bytes.hpp"

#include <array>

#include <catch2/catch.hpp>

namespace wsproxy::base {
namespace {

TEST_CASE("integers are stored most significant byte first, at any alignment") {
  std::array<std::byte, 16> memory{};
  for (std::size_t at = 0; at < 8; ++at) {
    store_be64(&memory[at], 0x0102030405060708);
    for (unsigned i = 0; i < 8; ++i) CHECK(std::to_integer<unsigned>(memory[at + i]) == i + 1);
    store_be16(&memory[at], 0xB1B2);
    for (unsigned i = 0; i < 2; ++i) CHECK(std::to_integer<unsigned>(memory[at + i]) == 0xB1 + i);
  }
}

TEST_CASE("what was stored is loaded again") {
  std::array<std::byte, 9> memory{};
  for (const std::uint64_t value : {0ULL, 1ULL, 0x80ULL, 0x8000ULL, 0xFEDCBA9876543210ULL, ~0ULL}) {
    store_be64(&memory[1], value);
    CHECK(load_be64(&memory[1]) == value);
    store_be16(&memory[1], static_cast<std::uint16_t>(value));
    CHECK(load_be16(&memory[1]) == static_cast<std::uint16_t>(value));
  }
}

TEST_CASE("text and bytes are views of the same memory") {
  const std::string_view text = "a\0b";
  CHECK(as_text(as_bytes(text)) == text);
  CHECK(static_cast<const void*>(as_bytes(text).data()) == text.data());
}

}  // namespace
}  // namespace wsproxy::base
