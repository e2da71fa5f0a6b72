#include "config/text_rules.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::config {
namespace {

bool is_good(const TextRule& rule, std::string_view text) {
  return rule.problem(text).empty();
}

TEST_CASE("RFC 3629: only valid UTF-8 without control characters is printable") {
  for (const char* text :
       {"", "plain", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF", "\xC2\xA0"}) {
    CHECK(is_printable(text));
  }
  for (const char* text : {"\x80", "\xC3", "a\xE2(\xA1", "a\nb", "\t", "\x1B[31m", "\x7F", "\xC2\x85"}) {
    CHECK_FALSE(is_printable(text));
  }
}

TEST_CASE("RFC 6454 section 6.2: an origin is a scheme, a host and perhaps a port; a star is for all below") {
  CHECK(is_good(origin_rule(), "https://example.org"));
  CHECK(is_good(origin_rule(), "http://localhost:3000"));
  CHECK(is_good(origin_rule(), "null"));
  CHECK(is_good(origin_rule(), "https://*.example.org"));
  CHECK(is_good(origin_rule(), "http://*.localhost:3000"));
  for (const char* text : {"", "*", "example.org", "://example.org", "https://", "https://example.org/",
                           "https://a@example.org", "https://*", "https://*example.org", "*.example.org",
                           "https://a.*.org", "https://a, https://b", "NULL"}) {
    CAPTURE(text);
    CHECK_FALSE(is_good(origin_rule(), text));
  }
}

TEST_CASE("a host pattern is a name or a star and a name") {
  CHECK(is_good(host_pattern_rule(), "echo.example.org"));
  CHECK(is_good(host_pattern_rule(), "*.example.org"));
  CHECK(is_good(host_pattern_rule(), "127.0.0.1"));
  CHECK(is_good(host_pattern_rule(), "::1"));
  CHECK_FALSE(is_good(host_pattern_rule(), "*example.org"));
  CHECK_FALSE(is_good(host_pattern_rule(), "a.*.org"));
  CHECK_FALSE(is_good(host_pattern_rule(), "*."));
  CHECK(host_pattern_rule().problem("example.org:80") == "has a port, which no route looks at");
}

TEST_CASE("a path prefix begins with a slash and ends before the query") {
  CHECK(is_good(path_prefix_rule(), "/chat/"));
  CHECK_FALSE(is_good(path_prefix_rule(), "chat"));
  CHECK_FALSE(is_good(path_prefix_rule(), "/chat?room=1"));
}

TEST_CASE("a DSN is a URL with a key, a host and a project") {
  CHECK(is_good(dsn_rule(), ""));
  CHECK(is_good(dsn_rule(), "https://key@sentry.example.org/1"));
  CHECK(is_good(dsn_rule(), "http://key:secret@localhost:9000/path/1"));
  for (const char* text : {"key", "ftp://key@host/1", "https://host/1", "https://@host/1", "https://key@host",
                           "https://key@host/", "https://key@/1"}) {
    CAPTURE(text);
    CHECK_FALSE(is_good(dsn_rule(), text));
  }
}

}  // namespace
}  // namespace wsproxy::config
