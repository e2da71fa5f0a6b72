#include "cli/metrics_text.hpp"

#include <catch2/catch.hpp>

using wsproxy::cli::MetricsText;

TEST_CASE("the samples of a name are added up over their labels") {
  const MetricsText page{
      "# HELP a What it is.\n"
      "# TYPE a counter\n"
      "a{direction=\"in\",type=\"text\"} 1\n"
      "a{direction=\"in\",type=\"binary\"} 20\n"
      "a{direction=\"out\",type=\"text\"} 300\n"
      "\n"
      "plain 2.5e3\n"
      "last 7"};
  CHECK(page.sum("a") == 321);
  CHECK(page.sum("a", "direction=\"in\"") == 21);
  CHECK(page.sum("a", "direction=\"in\",type=\"text\"") == 1);
  CHECK(page.sum("a", "direction=\"sideways\"") == 0);
  CHECK(page.sum("plain") == 2500);
  CHECK(page.sum("last") == 7);
  CHECK(page.sum("nothing") == 0);
}

TEST_CASE("a name that only begins as another is another") {
  const MetricsText page{"a_total 1\na_total_seconds 20\na{x=\"a_total\"} 300\na 4000\n"};
  CHECK(page.sum("a_total") == 1);
  CHECK(page.sum("a") == 4300);
}

TEST_CASE("a value stands behind the last space, since a label may have some") {
  const MetricsText page{"a{file=\"/tmp/b 9 c\"} 5\n"};
  CHECK(page.sum("a") == 5);
  CHECK(page.sum("a", "file=\"/tmp/b 9 c\"") == 5);
}

TEST_CASE("what is no page of metrics has no samples") {
  for (const char* text : {"", "\n\n", "# only a comment 1\n", "<!DOCTYPE_html>", "a"}) {
    const MetricsText page{text};
    CHECK(page.sum("a") == 0);
    CHECK_FALSE(page.has("a"));
    CHECK_FALSE(page.has("# only"));
  }
}

TEST_CASE("a name with labels is there too") {
  const MetricsText page{"b_total{x=\"1\"} 0\n"};
  CHECK(page.has("b_total"));
  CHECK_FALSE(page.has("a"));
  CHECK_FALSE(page.has("c"));
}
