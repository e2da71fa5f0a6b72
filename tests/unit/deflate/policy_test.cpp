#include "deflate/policy.hpp"

#include <cmath>

#include <catch2/catch.hpp>

#include "unit/deflate/plain_zlib.hpp"

namespace wsproxy::deflate {
namespace {

TEST_CASE("A message is too small at min_size - 1 and not at min_size") {
  CompressionPolicy policy{64};
  CHECK(policy.decide(base::as_bytes(std::string(63, 'a'))) == Bypass::too_small);
  CHECK(policy.decide(base::as_bytes(std::string(64, 'a'))) == Bypass::none);
  CHECK(policy.decide({}) == Bypass::too_small);
  CHECK(CompressionPolicy{0}.decide({}) == Bypass::none);
}

TEST_CASE("Random and compressed payloads of every size look incompressible, from 256 bytes on") {
  test::Texts texts{1};
  CHECK_FALSE(looks_incompressible({}));
  CHECK_FALSE(looks_incompressible(base::as_bytes(texts.noise(255))));
  for (const std::size_t size : {256u, 257u, 381u, 382u, 383u, 1000u, 4096u, 65535u, 65536u}) {
    for (int i = 0; i < 50; ++i) {
      REQUIRE(looks_incompressible(base::as_bytes(texts.noise(size))));
    }
  }
  test::PeerDeflater deflater{6, 15, 8, true};
  deflater.message(texts.chats(4000));
  CHECK(looks_incompressible(base::as_bytes(deflater.message(texts.chats(20000)))));
}

TEST_CASE("Text, base64 and arrays of integers do not look incompressible") {
  test::Texts texts{2};
  constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (const std::size_t size : {256u, 1024u, 4096u, 65536u}) {
    for (int i = 0; i < 50; ++i) {
      REQUIRE_FALSE(looks_incompressible(base::as_bytes(texts.chats(size))));
      std::string encoded(size, '\0');
      for (char& c : encoded) c = kBase64[texts.below(64)];
      REQUIRE_FALSE(looks_incompressible(base::as_bytes(encoded)));
      // Small integers, of which an even stride would see the noisy low bytes alone.
      std::string integers(size, '\0');
      for (std::size_t at = 0; at < size; at += 4) integers[at] = static_cast<char>(texts.below(256));
      REQUIRE_FALSE(looks_incompressible(base::as_bytes(integers)));
    }
  }
}

TEST_CASE("What looks incompressible is bypassed as such") {
  CompressionPolicy policy{64};
  CHECK(policy.decide(base::as_bytes(test::Texts{3}.noise(300))) == Bypass::incompressible);
}

TEST_CASE("After eight messages in a row that hardly shrink only one in sixteen is tried") {
  const std::string text(100, 'a');
  CompressionPolicy policy{64};
  for (int i = 0; i < 8; ++i) {
    REQUIRE(policy.decide(base::as_bytes(text)) == Bypass::none);
    policy.record(100, 96);
  }
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 15; ++i) REQUIRE(policy.decide(base::as_bytes(text)) == Bypass::stream);
    REQUIRE(policy.decide(base::as_bytes(text)) == Bypass::none);
    policy.record(100, 120);
  }
  SECTION("and one that shrinks ends it") {
    for (int i = 0; i < 15; ++i) policy.decide(base::as_bytes(text));
    CHECK(policy.decide(base::as_bytes(text)) == Bypass::none);
    policy.record(100, 50);
    CHECK(policy.decide(base::as_bytes(text)) == Bypass::none);
  }
}

TEST_CASE("A policy that is not adaptive goes by the size alone") {
  CompressionPolicy policy{64, false};
  CHECK(policy.decide(base::as_bytes(std::string(63, 'a'))) == Bypass::too_small);
  CHECK(policy.decide(base::as_bytes(test::Texts{3}.noise(300))) == Bypass::none);
  for (int i = 0; i < 100; ++i) {
    REQUIRE(policy.decide(base::as_bytes(std::string(64, 'a'))) == Bypass::none);
    policy.record(64, 70);
  }
}

TEST_CASE("A message that shrinks by 5 percent is not a poor one") {
  const std::string text(100, 'a');
  CompressionPolicy policy{64};
  for (int i = 0; i < 100; ++i) {
    REQUIRE(policy.decide(base::as_bytes(text)) == Bypass::none);
    policy.record(100, i % 8 == 7 ? 95 : 96);
  }
}

}  // namespace
}  // namespace wsproxy::deflate
