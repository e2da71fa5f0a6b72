#include "http/field.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::http {

TEST_CASE("9110 5.1 and 5.3: fields are found whatever the case of their name, and joined in order") {
  Fields fields;
  fields.add("Cookie", "a");
  fields.add("Host", "h");
  fields.add("cookie", "");
  fields.add("COOKIE", "b");
  CHECK(fields.first("cookie") == "a");
  CHECK(fields.joined("Cookie") == "a, , b");
  CHECK(fields.count("cookie") == 3);
  CHECK(fields.count("cooki") == 0);
  CHECK(fields.first("absent").empty());
  CHECK(fields.joined("absent").empty());
}

}  // namespace wsproxy::http
