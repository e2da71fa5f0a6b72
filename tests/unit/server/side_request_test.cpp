#include "server/side_request.hpp"

#include <catch2/catch.hpp>

using wsproxy::server::query_value;

TEST_CASE("a query's value is found by its whole name, the first one") {
  CHECK(query_value("level=debug", "level") == "debug");
  CHECK(query_value("a=1&level=info&level=error", "level") == "info");
  CHECK(query_value("since=", "since").empty());
  CHECK(query_value("xlevel=1&levels=2&level", "level").empty());
  CHECK(query_value("&&level=a=b", "level") == "a=b");
  CHECK(query_value("", "level").empty());
}
