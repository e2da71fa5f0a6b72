#include "base/utf8.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace wsproxy::base {
namespace {

TEST_CASE("3629 3: the first character, at the border of each length") {
  const std::pair<const char*, Character> rows[] = {
      {"a\xFF", {'a', 1}},
      {"\x7F", {0x7F, 1}},
      {"\xC2\x80z", {0x80, 2}},
      {"\xDF\xBF", {0x7FF, 2}},
      {"\xE0\xA0\x80", {0x800, 3}},
      {"\xED\x9F\xBF", {0xD7FF, 3}},
      {"\xEE\x80\x80", {0xE000, 3}},
      {"\xEF\xBF\xBF", {0xFFFF, 3}},
      {"\xF0\x90\x80\x80", {0x10000, 4}},
      {"\xF4\x8F\xBF\xBF", {0x10FFFF, 4}},
  };
  for (const auto& [text, expected] : rows) {
    const Character first = first_character(text);
    CHECK(first.code_point == expected.code_point);
    CHECK(first.length == expected.length);
    CHECK(is_utf8(text) == (text[1] != '\xFF'));
  }
}

TEST_CASE("3629 3: overlong forms, surrogates, half characters and what is past U+10FFFF are none") {
  for (const char* text :
       {"\x80", "\xBF", "\xC3", "\xC3z", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xE2\x82",
        "\xE2\x82z", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    INFO(text);
    CHECK(first_character(text).length == 0);
    CHECK_FALSE(is_utf8(text));
    CHECK_FALSE(is_utf8(std::string{"ab\xC3\xA4"} + text));
  }
  CHECK(is_utf8(""));
}

TEST_CASE("a text is cut at the limit or, inside a character, before it") {
  const std::string text = "ab\xF0\x9F\x98\x80z";
  CHECK(cut_between_characters(text, 7) == text);
  CHECK(cut_between_characters(text, 6) == "ab\xF0\x9F\x98\x80");
  for (const std::size_t most : {2u, 3u, 4u, 5u}) CHECK(cut_between_characters(text, most) == "ab");
  CHECK(cut_between_characters(text, 1) == "a");
  CHECK(cut_between_characters(text, 0).empty());
  CHECK(cut_between_characters("", 0).empty());
}

TEST_CASE("of a text that is not UTF-8 little more than asked is cut off") {
  const std::string text(100, '\x80');
  CHECK(cut_between_characters(text, 50).size() == 47);
  CHECK(cut_between_characters(text, 2).empty());
}

}  // namespace
}  // namespace wsproxy::base
