#include "cli/url.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::cli {

TEST_CASE("a URL is taken apart, with the scheme's own port when it has none") {
  const auto parts = [](const char* text) {
    const auto url = parse_url(text);
    if (!url) return std::string{"none"};
    return url->scheme + " " + url->authority + " " + url->host + " " + url->port + " " + url->target;
  };
  CHECK(parts("ws://localhost:8009") == "ws localhost:8009 localhost 8009 ");
  CHECK(parts("WSS://a.example/x?y=z") == "wss a.example a.example 443 /x?y=z");
  CHECK(parts("http://[::1]:9090/readyz") == "http [::1]:9090 ::1 9090 /readyz");
  CHECK(parts("https://[::1]?q") == "https [::1] ::1 443 /?q");
  CHECK(parts("ws://a:/") == "ws a: a 80 /");
}

TEST_CASE("what is no URL that a client can connect to is refused") {
  for (const char* text : {"", "localhost:8009", "/x", "ftp://a/", "ws://", "ws:///x", "ws://u@a/",
                           "ws://a/#f", "ws://a:x/", "ws://a:70000", "ws://a b/", "ws://a/\r\nEvil: 1"}) {
    INFO(text);
    CHECK_FALSE(parse_url(text));
  }
}

}  // namespace wsproxy::cli
