#include "telemetry/escape.hpp"

#include <random>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace wsproxy::telemetry;

namespace {

std::string json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string value(std::string_view text) {
  std::string out;
  append_text_value(out, text);
  return out;
}

std::string message(std::string_view text) {
  std::string out;
  append_escaped(out, text, Escaping::unquoted);
  return out;
}

std::string random_bytes(std::mt19937& random) {
  // Mostly the bytes that UTF-8 and JSON care about, so that near misses are common.
  constexpr std::string_view kInteresting =
      "a\"\\\n\x1b\x7f\x80\x9f\xa0\xbf\xc0\xc2\xe0\xe2\xed\xf0\xf4\xf5\xff";
  std::string text(random() % 12, ' ');
  for (auto& c : text) c = kInteresting[random() % kInteresting.size()];
  return text;
}

}  // namespace

TEST_CASE("RFC 8259 section 7: quotes, backslashes and controls of a JSON string are escaped") {
  CHECK(json("plain") == R"("plain")");
  CHECK(json("") == R"("")");
  CHECK(json("a\"b\\c") == R"("a\"b\\c")");
  CHECK(json("a\nb\tc\r") == R"("a\nb\tc\r")");
  CHECK(json(std::string_view("\0\x1b\x7f", 3)) == R"("\u0000\u001b\u007f")");
}

TEST_CASE("RFC 3629: valid UTF-8 stays as it is, at the edges of every length") {
  for (const char* text :
       {"\u00a0", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff"}) {
    CHECK(json(text) == '"' + std::string(text) + '"');
    CHECK(value(text) == '"' + std::string(text) + '"');
  }
}

TEST_CASE("RFC 3629: each byte that is no UTF-8 becomes U+FFFD in JSON and a number in text") {
  CHECK(json("a\xff"
             "b") == "\"a\uFFFDb\"");
  CHECK(value("a\xff"
              "b") == R"("a\xffb")");
  CHECK(value("\xc0\x80") == R"("\xc0\x80")");                  // overlong
  CHECK(value("\xe0\x9f\xbf") == R"("\xe0\x9f\xbf")");          // overlong
  CHECK(value("\xf0\x8f\xbf\xbf") == R"("\xf0\x8f\xbf\xbf")");  // overlong
  CHECK(value("\xed\xa0\x80") == R"("\xed\xa0\x80")");          // surrogate
  CHECK(value("\xf4\x90\x80\x80") == R"("\xf4\x90\x80\x80")");  // above U+10FFFF
  CHECK(value("\xe2\x82") == R"("\xe2\x82")");                  // cut
  CHECK(value("\xe2\x28\xa1") == R"("\xe2(\xa1")");             // not a continuation
}

TEST_CASE("what a terminal would obey or hide is escaped everywhere") {
  for (const char* text :
       {"\x1b[2J", "\u009b2J", "\u0085", "\u2028", "\u202e", "\u2066", "\u200b", "\ufeff"}) {
    for (const auto& line : {json(text), value(text), message(text)}) {
      CHECK(line.find("\\u") != std::string::npos);
      CHECK(line.find('\x1b') == std::string::npos);
    }
  }
  CHECK(json("\u202e") == R"("\u202e")");
}

TEST_CASE("a text value is quoted unless it is one plain word") {
  CHECK(value("127.0.0.1:80") == "127.0.0.1:80");
  CHECK(value("/a?b;c") == "/a?b;c");
  CHECK(value("") == R"("")");
  CHECK(value("two words") == R"("two words")");
  CHECK(value("a=b") == R"("a=b")");
  CHECK(value("a\"b") == R"("a\"b")");
  CHECK(value("a\\nb") == R"("a\\nb")");
  CHECK(value("x\nlevel=error") == R"("x\nlevel=error")");
}

TEST_CASE("a text message keeps its quotes but not its line breaks") {
  CHECK(message("cannot open \"a b\": C:\\x") == "cannot open \"a b\": C:\\x");
  CHECK(message("a\nb") == "a\\nb");
}

TEST_CASE("whatever the bytes, JSON is read back as UTF-8 and text stays one line") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 1'000; ++i) {
    const auto text = random_bytes(random);
    const auto parsed = nlohmann::json::parse(json(text), nullptr, false);
    REQUIRE(parsed.is_string());
    const auto shown = value(text);
    REQUIRE(shown.find_first_of("\n\r\x1b\x7f") == std::string::npos);
    REQUIRE_NOTHROW(nlohmann::json(shown).dump());
  }
}
