#include "websocket/utf8.hpp"

#include <algorithm>
#include <ostream>
#include <random>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "support/splits.hpp"

namespace wsproxy::websocket {
namespace {

using namespace std::string_view_literals;
using test::for_each_split;
using test::Split;

enum class Verdict : std::uint8_t { valid, incomplete, invalid };

std::ostream& operator<<(std::ostream& to, Verdict verdict) {
  constexpr std::string_view kNames[] = {"valid", "incomplete", "invalid"};
  return to << kNames[static_cast<std::size_t>(verdict)];
}

/// Decodes to a code point and judges that: another way than the one under test (RFC 3629 section 3).
Verdict naive(std::string_view text) {
  const auto octet = [&](std::size_t i) {
    return static_cast<unsigned>(static_cast<unsigned char>(text[i]));
  };
  for (std::size_t at = 0; at < text.size();) {
    const unsigned lead = octet(at);
    const std::size_t size = lead < 0x80   ? 1
                             : lead < 0xC0 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF8 ? 4
                                           : 0;
    if (size == 0) return Verdict::invalid;
    const std::size_t have = std::min(size, text.size() - at);
    unsigned lowest = size == 1 ? lead : lead & ((1U << (7 - size)) - 1);
    unsigned highest = lowest;
    for (std::size_t i = 1; i < size; ++i) {
      if (i < have && (octet(at + i) & 0xC0) != 0x80) return Verdict::invalid;
      lowest = lowest << 6 | (i < have ? octet(at + i) & 0x3F : 0);
      highest = highest << 6 | (i < have ? octet(at + i) & 0x3F : 0x3F);
    }
    // Of the code points that these bytes may still become, one has to be allowed.
    constexpr unsigned kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    lowest = std::max(lowest, kLeast[size]);
    highest = std::min(highest, 0x10FFFFU);
    if (lowest > highest || (lowest >= 0xD800 && highest <= 0xDFFF)) return Verdict::invalid;
    if (have < size) return Verdict::incomplete;
    at += size;
  }
  return Verdict::valid;
}

Verdict checked(std::string_view text) {
  Utf8Check check;
  if (!check.write(base::as_bytes(text))) return Verdict::invalid;
  return check.may_end() ? Verdict::valid : Verdict::incomplete;
}

Verdict checked(const Split& split) {
  Utf8Check check;
  for (const auto& piece : split.pieces) {
    if (!check.write(piece)) return Verdict::invalid;
  }
  return check.may_end() ? Verdict::valid : Verdict::incomplete;
}

std::string encoded(unsigned code_point) {
  const auto octet = [](unsigned bits) { return static_cast<char>(bits); };
  const auto tail = [&](unsigned shift) { return octet(0x80 | ((code_point >> shift) & 0x3F)); };
  if (code_point < 0x80) return {octet(code_point)};
  if (code_point < 0x800) return {octet(0xC0 | (code_point >> 6)), tail(0)};
  if (code_point < 0x10000) return {octet(0xE0 | (code_point >> 12)), tail(6), tail(0)};
  return {octet(0xF0 | (code_point >> 18)), tail(12), tail(6), tail(0)};
}

struct Row {
  std::string_view text;
  Verdict verdict;
  const char* what;
};

constexpr Row kRows[] = {
    {""sv, Verdict::valid, "nothing"},
    {"\0"sv, Verdict::valid, "U+0000"},
    {"\x7f"sv, Verdict::valid, "U+007F"},
    {"\xc2\x80"sv, Verdict::valid, "U+0080"},
    {"\xdf\xbf"sv, Verdict::valid, "U+07FF"},
    {"\xe0\xa0\x80"sv, Verdict::valid, "U+0800"},
    {"\xec\xbf\xbf"sv, Verdict::valid, "U+CFFF"},
    {"\xed\x9f\xbf"sv, Verdict::valid, "U+D7FF"},
    {"\xee\x80\x80"sv, Verdict::valid, "U+E000"},
    {"\xef\xbb\xbf"sv, Verdict::valid, "U+FEFF"},
    {"\xef\xbf\xbe"sv, Verdict::valid, "U+FFFE, a noncharacter"},
    {"\xef\xbf\xbf"sv, Verdict::valid, "U+FFFF"},
    {"\xf0\x90\x80\x80"sv, Verdict::valid, "U+10000"},
    {"\xf3\xbf\xbf\xbf"sv, Verdict::valid, "U+FFFFF"},
    {"\xf4\x80\x80\x80"sv, Verdict::valid, "U+100000"},
    {"\xf4\x8f\xbf\xbf"sv, Verdict::valid, "U+10FFFF"},

    {"\xc2"sv, Verdict::incomplete, "one of two"},
    {"\xe0"sv, Verdict::incomplete, "one of three"},
    {"\xe0\xa0"sv, Verdict::incomplete, "two of three"},
    {"\xed\x9f"sv, Verdict::incomplete, "two of three below the surrogates"},
    {"\xf0"sv, Verdict::incomplete, "one of four"},
    {"\xf0\x90"sv, Verdict::incomplete, "two of four"},
    {"\xf4\x8f\xbf"sv, Verdict::incomplete, "three of four"},

    {"\x80"sv, Verdict::invalid, "a continuation alone"},
    {"\xbf"sv, Verdict::invalid, "a continuation alone"},
    {"a\x80"sv, Verdict::invalid, "a continuation after ASCII"},
    {"\xc2\x80\x80"sv, Verdict::invalid, "a continuation too many"},
    {"\xc0"sv, Verdict::invalid, "C0 begins nothing"},
    {"\xc0\x80"sv, Verdict::invalid, "overlong U+0000"},
    {"\xc1\xbf"sv, Verdict::invalid, "overlong U+007F"},
    {"\xe0\x80"sv, Verdict::invalid, "overlong, shown by the second byte"},
    {"\xe0\x9f\xbf"sv, Verdict::invalid, "overlong U+07FF"},
    {"\xf0\x80"sv, Verdict::invalid, "overlong, shown by the second byte"},
    {"\xf0\x8f\xbf\xbf"sv, Verdict::invalid, "overlong U+FFFF"},
    {"\xed\xa0"sv, Verdict::invalid, "a surrogate, shown by the second byte"},
    {"\xed\xa0\x80"sv, Verdict::invalid, "U+D800"},
    {"\xed\xbf\xbf"sv, Verdict::invalid, "U+DFFF"},
    {"\xed\xa0\x80\xed\xb0\x80"sv, Verdict::invalid, "a pair of surrogates"},
    {"\xf4\x90"sv, Verdict::invalid, "past U+10FFFF, shown by the second byte"},
    {"\xf4\x90\x80\x80"sv, Verdict::invalid, "U+110000"},
    {"\xf5"sv, Verdict::invalid, "F5 begins nothing"},
    {"\xf7\xbf\xbf\xbf"sv, Verdict::invalid, "U+1FFFFF"},
    {"\xf8\x88\x80\x80\x80"sv, Verdict::invalid, "five bytes"},
    {"\xfc\x84\x80\x80\x80\x80"sv, Verdict::invalid, "six bytes"},
    {"\xfe"sv, Verdict::invalid, "FE"},
    {"\xff"sv, Verdict::invalid, "FF"},
    {"\xc2"
     "a"sv,
     Verdict::invalid, "ASCII for a continuation"},
    {"\xe1\x80"
     "a"sv,
     Verdict::invalid, "ASCII for the third byte"},
    {"\xf1\x80\x80"
     "a"sv,
     Verdict::invalid, "ASCII for the fourth byte"},
    {"\xe1\xc2\x80"sv, Verdict::invalid, "a lead for a continuation"},
};

TEST_CASE("8.1: the borders of UTF-8, at any split and between runs of ASCII") {
  for (const Row& row : kRows) {
    INFO(row.what);
    for (const std::size_t before : {0U, 1U, 7U, 8U, 9U, 31U, 32U, 33U, 64U}) {
      const std::string text = std::string(before, 'a') + std::string{row.text};
      for_each_split(base::as_bytes(text), [&](const Split& split) { CHECK(checked(split) == row.verdict); });
      if (row.verdict == Verdict::incomplete) continue;
      for (const std::size_t after : {1U, 8U, 40U})
        CHECK(checked(text + std::string(after, 'z')) == row.verdict);
    }
    CHECK(naive(row.text) == row.verdict);
    CHECK(is_valid_utf8(base::as_bytes(row.text)) == (row.verdict == Verdict::valid));
  }
}

TEST_CASE("8.1: a mixed text is valid at each of its splits in two, and nowhere else may it end") {
  const std::string text =
      "ASCII only, \xc3\xa4\xc3\xb6\xc3\xbc \xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 "
      "\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80\xf0\x9f\x8e\x89 and thirty-two bytes of ASCII.";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    INFO("cut at " << cut);
    Utf8Check check;
    CHECK(check.write(base::as_bytes(text).first(cut)));
    const bool inside_character = cut < text.size() && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80;
    CHECK(check.may_end() == !inside_character);
    CHECK(check.write(base::as_bytes(text).subspan(cut)));
    CHECK(check.may_end());
  }
}

TEST_CASE("8.1: every code point is judged as RFC 3629 says") {
  for (unsigned code_point = 0; code_point < 0x110000 + 0x1000; ++code_point) {
    const bool allowed = code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF);
    if (is_valid_utf8(base::as_bytes(encoded(code_point))) != allowed) FAIL("code point " << code_point);
  }
}

TEST_CASE("8.1: all sequences of one and two bytes, and many of three and four, agree with a naive check") {
  const auto compare = [](std::string_view text) {
    if (checked(text) != naive(text)) {
      std::string octets;
      for (const char c : text) octets += std::to_string(static_cast<unsigned char>(c)) + ' ';
      FAIL(octets << "is " << naive(text) << " but was found " << checked(text));
    }
  };
  for (unsigned first = 0; first < 256; ++first) {
    compare(std::string{static_cast<char>(first)});
    for (unsigned second = 0; second < 256; ++second) {
      compare(std::string{static_cast<char>(first), static_cast<char>(second)});
    }
  }
  const unsigned seed = Catch::rngSeed();
  INFO("seed " << seed);
  std::mt19937 random{seed};
  // Bytes next to a border of RFC 3629's table, and some of any kind.
  constexpr std::string_view kBorders =
      "\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xdf\xe0\xe1\xec\xed\xee\xef\xf0\xf1\xf3\xf4\xf5";
  const auto some_byte = [&] {
    const auto any = random();
    return any % 4 == 0 ? static_cast<char>(any >> 8) : kBorders[any % kBorders.size()];
  };
  for (int i = 0; i < 100000; ++i) {
    std::string text;
    const std::size_t size = 3 + random() % 2;
    while (text.size() < size) text += some_byte();
    compare(text);
  }
}

TEST_CASE("8.1: long random texts agree with a naive check, with and without a broken byte") {
  const unsigned seed = Catch::rngSeed();
  INFO("seed " << seed);
  std::mt19937 generator{seed};
  const auto random = [&] { return static_cast<unsigned>(generator()); };
  for (int i = 0; i < 500; ++i) {
    std::string text;
    while (text.size() < 200) {
      const unsigned code_point = random() % (random() % 2 == 0 ? 0x80U : 0x110000U);
      if (code_point < 0xD800 || code_point > 0xDFFF) text += encoded(code_point);
      if (random() % 10 == 0) text.append(random() % 50, 'x');
    }
    CHECK(checked(text) == Verdict::valid);
    text[random() % text.size()] = static_cast<char>(random());
    const Verdict verdict = naive(text);
    CHECK(checked(text) == verdict);
    CHECK(checked(test::random_cuts(base::as_bytes(text), random())) == verdict);
  }
}

TEST_CASE("once invalid, a text stays invalid until reset") {
  Utf8Check check;
  CHECK_FALSE(check.write(base::as_bytes("\xff")));
  CHECK_FALSE(check.write(base::as_bytes("fine")));
  CHECK_FALSE(check.write(base::as_bytes("")));
  CHECK_FALSE(check.may_end());
  check.reset();
  CHECK(check.may_end());
  CHECK(check.write(base::as_bytes("fine")));
  CHECK(check.may_end());
}

}  // namespace
}  // namespace wsproxy::websocket
