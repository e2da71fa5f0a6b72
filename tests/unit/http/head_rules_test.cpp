#include "http/head_rules.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::http {
namespace {

/// Beast refuses some of these as well; here the rule stands alone.
std::string_view framing(std::vector<Field> lines, unsigned version_minor = 1) {
  Fields fields;
  for (Field& line : lines) fields.add(std::move(line.name), std::move(line.value));
  return problem_with_framing(fields, version_minor);
}

}  // namespace

TEST_CASE("9112 6.1: Content-Length and Transfer-Encoding exclude each other") {
  CHECK(framing({{"content-length", "1"}, {"Transfer-Encoding", "chunked"}}) ==
        "both Content-Length and Transfer-Encoding");
  CHECK(framing({{"Transfer-Encoding", "chunked"}}) == "");
  CHECK(framing({{"Transfer-Encoding", "chunked"}}, 0) == "Transfer-Encoding in HTTP/1.0");
}

TEST_CASE("9112 6.2 and 6.3: one Content-Length, one Transfer-Encoding") {
  CHECK(framing({{"Content-Length", "1"}, {"Content-length", "1"}}) == "more than one Content-Length");
  CHECK(framing({{"Transfer-Encoding", "gzip"}, {"Transfer-encoding", "chunked"}}) ==
        "more than one Transfer-Encoding");
  for (const char* value : {"", "1,1", "+1", "1 1", "18446744073709551616"}) {
    CHECK(framing({{"Content-Length", value}}) == "a Content-Length that is no number");
  }
  CHECK(framing({{"Content-Length", "9223372036854775807"}}) == "");
}

}  // namespace wsproxy::http
