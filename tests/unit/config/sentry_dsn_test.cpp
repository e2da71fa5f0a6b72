#include "config/sentry_dsn.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::config {
namespace {

TEST_CASE("a DSN names the server, the project and the key") {
  const auto dsn = parse_sentry_dsn("https://4d5e6f@o1.ingest.sentry.io/42");
  REQUIRE(dsn);
  CHECK(dsn.value->tls);
  CHECK(dsn.value->host == "o1.ingest.sentry.io");
  CHECK(dsn.value->port == 443);
  CHECK(dsn.value->public_key == "4d5e6f");
  CHECK(dsn.value->secret_key.empty());
  CHECK(dsn.value->target() == "/api/42/envelope/");
  CHECK(dsn.value->authority() == "o1.ingest.sentry.io");
}

TEST_CASE("a DSN may have a port, a path ahead of its project and a secret that stays here") {
  const auto dsn = parse_sentry_dsn("http://key:hunter2@[::1]:9000/a/b/7");
  REQUIRE(dsn);
  CHECK_FALSE(dsn.value->tls);
  CHECK(dsn.value->host == "::1");
  CHECK(dsn.value->port == 9000);
  CHECK(dsn.value->secret_key == "hunter2");
  CHECK(dsn.value->target() == "/a/b/api/7/envelope/");
  CHECK(dsn.value->authority() == "[::1]:9000");
  CHECK(dsn.value->public_text() == "http://key@[::1]:9000/a/b/7");
}

TEST_CASE("a DSN that could end a header or a target is refused, and not repeated") {
  for (const char* text :
       {"", "hunter2", "ftp://hunter2@host/1", "https://host/1", "https://@host/1", "https://hunter2@host",
        "https://hunter2@host/", "https://hunter2@/1", "https://hunter2:@host/1", "https://hunter2@host:0/1",
        "https://hunter2@host:x/1", "https://hunter2@host:70000/1", "https://hunter2\r\nX: y@host/1",
        "https://hunter2@ho st/1", "https://hunter2@host/1 2", "https://hunter2@host//1",
        "https://hunter2@host/a?b/1", "https://hunter2@host/1#x", "https://a@b@host/1"}) {
    CAPTURE(text);
    const auto dsn = parse_sentry_dsn(text);
    CHECK_FALSE(dsn);
    CHECK_FALSE(dsn.problem.empty());
    CHECK(dsn.problem.find("hunter2") == std::string::npos);
  }
}

}  // namespace
}  // namespace wsproxy::config
