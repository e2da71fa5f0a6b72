#include "config/origin.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::config {
namespace {

bool is_covered(std::string_view allowed, std::string_view origin) {
  const auto rule = parse_origin(allowed, true);
  const auto given = parse_origin(origin, false);
  return rule && given && covers(*rule, *given);
}

TEST_CASE("RFC 6454 section 4: an origin is a scheme, a host and a port") {
  const auto origin = parse_origin("https://example.org:8443", false);
  REQUIRE(origin);
  CHECK(origin->scheme == "https");
  CHECK(origin->host == "example.org");
  CHECK(origin->port == 8443);
  CHECK_FALSE(origin->is_pattern);
  CHECK(parse_origin("https://example.org", false)->port == 443);
  CHECK(parse_origin("http://[::1]:3000", false)->host == "[::1]");
  CHECK(parse_origin("http://[::1]", false)->port == 80);
  CHECK(parse_origin("chrome-extension://abcdefgh", false)->port == 0);
  for (const char* text : {"",
                           "null",
                           "*",
                           "example.org",
                           "://example.org",
                           "https://",
                           "https://example.org/",
                           "https://a@example.org",
                           "https://*.example.org",
                           "https://a, https://b",
                           "https://a https://b",
                           "https://example.org:",
                           "https://example.org:0",
                           "https://example.org:65536",
                           "https://a:b.example.org",
                           "https://.example.org",
                           "https://a..example.org",
                           "https://[::1",
                           "https://[a]",
                           "https://[a.example]",
                           "ht tp://a",
                           "1http://a",
                           "https://a?b.example.org",
                           "https://a#.example.org"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_origin(text, false));
  }
}

TEST_CASE("a pattern is a star, a dot and a host, where patterns may be") {
  const auto pattern = parse_origin("https://*.example.org:8443", true);
  REQUIRE(pattern);
  CHECK(pattern->is_pattern);
  CHECK(pattern->host == ".example.org");
  CHECK(pattern->port == 8443);
  for (const char* text :
       {"https://*", "https://*.", "https://*example.org", "https://a.*.org", "*.example.org",
        "https://*.[::1]", "https://*.*.org", "*://example.org", "https://*..org"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_origin(text, true));
  }
}

TEST_CASE("RFC 6454 section 5: origins are the same when scheme, host and port are") {
  CHECK(is_covered("https://example.org", "https://example.org"));
  CHECK(is_covered("https://Example.org", "HTTPS://example.ORG"));
  CHECK(is_covered("https://example.org:443", "https://example.org"));
  CHECK(is_covered("http://example.org", "http://example.org:80"));
  CHECK(is_covered("http://[::1]:3000", "http://[::1]:3000"));
  CHECK_FALSE(is_covered("https://example.org", "http://example.org"));
  CHECK_FALSE(is_covered("https://example.org", "https://example.org:8443"));
  CHECK_FALSE(is_covered("https://example.org", "https://a.example.org"));
  CHECK_FALSE(is_covered("https://example.org", "https://example.org.evil"));
}

TEST_CASE("a pattern covers what is below its host, in its scheme and on its port") {
  CHECK(is_covered("https://*.example.org", "https://a.example.org"));
  CHECK(is_covered("https://*.example.org", "https://a.b.example.org"));
  CHECK(is_covered("https://*.Example.org", "https://A.EXAMPLE.ORG:443"));
  CHECK(is_covered("https://*.example.org:8443", "https://a.example.org:8443"));
  for (const char* origin :
       {"https://example.org", "https://evilexample.org", "https://.example.org", "http://a.example.org",
        "https://a.example.org:8443", "https://a.example.org.evil", "https://evil.org/.example.org",
        "https://evil.org?.example.org", "https://evil.org:1.example.org", "null"}) {
    CAPTURE(origin);
    CHECK_FALSE(is_covered("https://*.example.org", origin));
  }
}

}  // namespace
}  // namespace wsproxy::config
