#include "base/base64.hpp"

#include <vector>

#include <catch2/catch.hpp>

namespace wsproxy::base {
namespace {

TEST_CASE("4648 10: the test vectors") {
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
  }
}

TEST_CASE("4648 4: every digit of the alphabet is used") {
  std::vector<std::byte> bytes;
  for (unsigned i = 0; i < 64; i += 4) {
    const unsigned group = (i << 18) | ((i + 1) << 12) | ((i + 2) << 6) | (i + 3);
    for (const int shift : {16, 8, 0}) bytes.push_back(static_cast<std::byte>((group >> shift) & 0xff));
  }
  CHECK(base64_encode(bytes) == "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
}

}  // namespace
}  // namespace wsproxy::base
