#include "http/request_target.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace wsproxy::http {

TEST_CASE("9110 7.2: an authority is a host with or without a port") {
  for (const char* good : {"a", "a.b-c", "127.0.0.1", "a:0", "a:65535", "[::1]:1", "a%20b", "a:"}) {
    INFO(good);
    CHECK(is_authority(good));
  }
  for (const char* bad : {"", ":1", "a:65536", "a:000001", "a:+1", "[", "]", "[a", "[::g]", "[::1]x", "a b",
                          "a\\b", "a?b", "a@b", "a,b", "\xC3\xA9"}) {
    INFO(bad);
    CHECK_FALSE(is_authority(bad));
  }
}

TEST_CASE("9112 3.2.2: a whole URL is taken apart at its path or query") {
  const auto parts = [](std::string_view target) {
    const TargetParts split = split_target(target);
    return std::string{split.authority} + "|" + std::string{split.path};
  };
  CHECK(parts("/a?b") == "|/a?b");
  CHECK(parts("http://a/b") == "a|/b");
  CHECK(parts("wss://a:1?b/c") == "a:1|?b/c");
  CHECK(parts("ws://a") == "a|");
  CHECK(parts("//a/b") == "|//a/b");
}

TEST_CASE("9112 3.2: every byte that is not visible ASCII, and the fragment mark, is no target") {
  for (int code = 0; code < 256; ++code) {
    const std::string target = std::string{"/"} + static_cast<char>(code);
    INFO(code);
    CHECK(target_suits("GET", target) == (code > 0x20 && code < 0x7f && code != '#'));
  }
}

}  // namespace wsproxy::http
