#include "base/ascii.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::base {
namespace {

TEST_CASE("digits, letters and hexadecimal digits are ASCII's and no others") {
  const std::string_view hex = "0123456789abcdef";
  for (unsigned code = 0; code < 256; ++code) {
    const char c = static_cast<char>(code);
    INFO("character " << code);
    CHECK(is_digit(c) == (std::string_view{"0123456789"}.find(c) != std::string_view::npos));
    const std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    CHECK(is_letter(c) == (letters.find(c) != std::string_view::npos));
    const std::size_t at = hex.find(to_lower(c));
    CHECK(hex_value(c) == (at == std::string_view::npos ? std::nullopt : std::optional<unsigned>{at}));
  }
}

TEST_CASE("9110 5.6.2: token characters are these 77 and no others") {
  const std::string_view allowed =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (unsigned code = 0; code < 256; ++code) {
    const char c = static_cast<char>(code);
    INFO("character " << code);
    CHECK(is_token_char(c) == (allowed.find(c) != std::string_view::npos));
  }
}

TEST_CASE("9110 5.6.2: a token has at least one character and only token characters") {
  CHECK(is_token("permessage-deflate"));
  CHECK_FALSE(is_token(""));
  CHECK_FALSE(is_token("two words"));
  CHECK_FALSE(is_token("a,b"));
  CHECK_FALSE(is_token("a=b"));
  CHECK_FALSE(is_token("\xc3\xa4"));
}

TEST_CASE("only ASCII letters have a lower case") {
  for (unsigned code = 0; code < 256; ++code) {
    const char c = static_cast<char>(code);
    const bool upper = c >= 'A' && c <= 'Z';
    CHECK(to_lower(c) == (upper ? static_cast<char>(c + 32) : c));
  }
  CHECK(to_lower(std::string_view{"Sec-WebSocket-KEY@[\xc4"}) == "sec-websocket-key@[\xc4");
}

TEST_CASE("names are equal whatever their case, and only at the same length") {
  CHECK(iequals("", ""));
  CHECK(iequals("UpGrade", "uPgRADE"));
  CHECK_FALSE(iequals("upgrade", "upgrades"));
  CHECK_FALSE(iequals("upgrades", "upgrade"));
  CHECK_FALSE(iequals("@", "`"));
  CHECK_FALSE(iequals("[", "{"));
}

TEST_CASE("9110 5.6.3: trimming takes spaces and tabs off both ends and nothing else") {
  CHECK(trim("") == "");
  CHECK(trim(" \t ") == "");
  CHECK(trim("a") == "a");
  CHECK(trim(" \ta b\t ") == "a b");
  CHECK(trim("\na\r") == "\na\r");
}

TEST_CASE("a decimal is digits that fit, and nothing else") {
  CHECK(parse_decimal("0") == 0U);
  CHECK(parse_decimal("007") == 7U);
  CHECK(parse_decimal("15") == 15U);
  CHECK(parse_decimal("18446744073709551615") == UINT64_MAX);
  for (const char* wrong : {"", " ", "+1", "-1", "1 ", " 1", "1.0", "0x1", "a", "18446744073709551616",
                            "18446744073709551620", "99999999999999999999999"}) {
    INFO(wrong);
    CHECK_FALSE(parse_decimal(wrong));
  }
}

TEST_CASE("9110 5.6.1: a list holds a token in any place and any case, but not as part of another") {
  for (const char* list :
       {"upgrade", "Upgrade", "keep-alive, Upgrade", "a,UPGRADE,b", ",, upgrade", "\tupgrade ,"}) {
    INFO(list);
    CHECK(list_has_token(list, "upgrade"));
  }
  for (const char* list :
       {"", ",", "keep-alive", "upgrades", "up grade", "xupgrade", "upgrade/1", "upgrade;q=1"}) {
    INFO(list);
    CHECK_FALSE(list_has_token(list, "upgrade"));
  }
}

}  // namespace
}  // namespace wsproxy::base
