#include "base/base64.hpp"

#include <random>

#include <catch2/catch.hpp>

namespace wsproxy::base {
namespace {

TEST_CASE("4648 10: the test vectors, both ways") {
  const std::pair<const char*, const char*> vectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, text] : vectors) {
    CHECK(base64_encode(as_bytes(plain)) == text);
    const auto decoded = base64_decode(text);
    REQUIRE(decoded);
    CHECK(as_text(*decoded) == plain);
  }
}

TEST_CASE("4648 4: every digit of the alphabet is used") {
  std::vector<std::byte> bytes;
  for (unsigned i = 0; i < 64; i += 4) {
    const unsigned group = (i << 18) | ((i + 1) << 12) | ((i + 2) << 6) | (i + 3);
    for (const int shift : {16, 8, 0}) bytes.push_back(static_cast<std::byte>((group >> shift) & 0xff));
  }
  const char* const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  CHECK(base64_encode(bytes) == alphabet);
  CHECK(base64_decode(alphabet) == bytes);
}

TEST_CASE("4648 3: what is not the one canonical form is refused") {
  for (const char* wrong : {"Z", "Zg", "Zg=", "Zg===", "Zm8", "=", "==", "====", "Z===", "Zm9vYg==Zm9v",
                            "Zg==\n", " Zg==", "Zm 9v", "Zm9-", "Zm9_", "Zm=v", "Z=9v", "Zm9v====", "Zm9\x80",
                            // The bits that padding leaves unused are not zero.
                            "Zh==", "Zm9=", "Zn=="}) {
    INFO(wrong);
    CHECK_FALSE(base64_decode(wrong));
  }
}

TEST_CASE("random bytes of every length up to 100 come back") {
  std::mt19937 random{Catch::rngSeed()};
  for (std::size_t size = 0; size <= 100; ++size) {
    std::vector<std::byte> bytes(size);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() & 0xff);
    const std::string text = base64_encode(bytes);
    CHECK(text.size() == (size + 2) / 3 * 4);
    CHECK(base64_decode(text) == bytes);
  }
}

}  // namespace
}  // namespace wsproxy::base
