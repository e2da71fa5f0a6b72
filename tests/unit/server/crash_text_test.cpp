#include "server/crash_text.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace wsproxy::server {

TEST_CASE("a crash's text has numbers and names that cannot end a string") {
  CrashText text;
  text.put("a ");
  text.decimal(-42);
  text.put(" ");
  text.hexadecimal(0xFFFFFFFFFFFFFFFF);
  text.put(" ");
  text.name("x\"y\\z\n\x80.so-1");
  CHECK(text.text() == "a -42 0xffffffffffffffff x_y_z__.so-1");
}

TEST_CASE("a text that has no room is left out") {
  CrashText text;
  text.put(std::string(CrashText::kRoom - 3, 'x'));
  CHECK(text.left() == 3);
  text.put("long");
  text.name("long");
  text.decimal(1234);
  CHECK(text.left() == 3);
  text.put("end");
  CHECK(text.text().ends_with("xend"));
  CHECK(text.left() == 0);
}

}  // namespace wsproxy::server
