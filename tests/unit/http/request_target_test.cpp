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

TEST_CASE("9112 3.2.1: the app gets a path behind that of the upstream") {
  CHECK(target_for_app("GET", "/a?b", "") == "/a?b");
  CHECK(target_for_app("GET", "/a?b", "/api") == "/api/a?b");
  CHECK(target_for_app("GET", "/", "/api/") == "/api/");
  CHECK(target_for_app("GET", "http://a:1/b?c", "/api") == "/api/b?c");
  CHECK(target_for_app("GET", "http://a?c", "/api") == "/api/?c");
  CHECK(target_for_app("GET", "http://a", "") == "/");
}

TEST_CASE("9112 3.2.4: * stays what it is, and a whole URL without a path is * for OPTIONS") {
  CHECK(target_for_app("OPTIONS", "*", "/api") == "*");
  CHECK(target_for_app("OPTIONS", "http://a", "/api") == "*");
  CHECK(target_for_app("OPTIONS", "http://a/", "/api") == "/api/");
  CHECK(target_for_app("OPTIONS", "/", "") == "/");
}

}  // namespace wsproxy::http
