#include "deflate/extension_header.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::deflate {
namespace {

/// One line per header, so that a whole table is readable: name[param|param=value], ...
std::string render(std::string_view header) {
  const auto extensions = parse_extensions(header);
  if (!extensions) return "malformed";
  std::string text;
  for (const auto& extension : *extensions) {
    if (!text.empty()) text += ' ';
    text += extension.name + '[';
    for (const auto& parameter : extension.parameters) {
      if (text.back() != '[') text += '|';
      text += parameter.name;
      if (parameter.value) text += '=' + *parameter.value;
    }
    text += ']';
  }
  return text;
}

TEST_CASE("Extension elements are read in order with their parameters (RFC 6455 section 9.1)") {
  CHECK(render("foo") == "foo[]");
  CHECK(render("foo, bar; baz=2") == "foo[] bar[baz=2]");
  CHECK(render("bar; baz=2, foo; a; b=c; a") == "bar[baz=2] foo[a|b=c|a]");
  CHECK(render("deflate-stream") == "deflate-stream[]");
  CHECK(render("mux; max-channels=4; flow-control, deflate-stream") ==
        "mux[max-channels=4|flow-control] deflate-stream[]");
  CHECK(render("private-extension") == "private-extension[]");
  CHECK(render("Foo; Bar=Baz") == "Foo[Bar=Baz]");
}

TEST_CASE("Spaces and tabs may stand around every separator of the extensions list (RFC 2616 section 2.1)") {
  CHECK(render("  foo ;\ta = 1 ,\t bar  ") == "foo[a=1] bar[]");
  CHECK(render("foo;a=1,bar") == "foo[a=1] bar[]");
  CHECK(render("foo; a = \"1\" ; b") == "foo[a=1|b]");
}

TEST_CASE("Empty elements of the extensions list are skipped (RFC 2616 section 2.1)") {
  CHECK(render("") == "");
  CHECK(render("   ") == "");
  CHECK(render(",") == "");
  CHECK(render(" , ,foo,, bar,") == "foo[] bar[]");
}

TEST_CASE("A quoted extension value is unquoted and has to be a token (RFC 6455 section 9.1)") {
  CHECK(render(R"(foo; a="15")") == "foo[a=15]");
  CHECK(render(R"(foo; a="1\5")") == "foo[a=15]");
  CHECK(render(R"(foo; a="")") == "malformed");
  CHECK(render(R"(foo; a="1 5")") == "malformed");
  CHECK(render(R"(foo; a="1,5")") == "malformed");
  CHECK(render(R"(foo; a="1\"5")") == "malformed");
  CHECK(render(R"(foo; a="15)") == "malformed");
  CHECK(render(R"(foo; a="15\)") == "malformed");
  CHECK(render(R"(foo; a=")") == "malformed");
  CHECK(render(R"(foo; a="15"6)") == "malformed");
  CHECK(render(R"(foo; "a"=15)") == "malformed");
}

TEST_CASE("What does not follow the extension grammar is malformed as a whole (RFC 6455 section 9.1)") {
  for (const auto* header : {"foo;",       "foo; ",   "foo;;a",      "foo; a=",    "foo; =1",
                             "; a",        "=",       "foo bar",     "foo; a b",   "foo; a=1 2",
                             "foo; a=b=c", "foo=1",   "f@o",         "foo; a=(b)", "foo, ;",
                             "foo;a=,bar", "foo\r\n", "foo; a=\x7f", "\"foo\"",    "foo; a=\xc3\xa4"}) {
    INFO(header);
    CHECK(render(header) == "malformed");
  }
  CHECK(render(std::string_view{"fo\0o", 4}) == "malformed");
}

TEST_CASE("At most 64 extensions of 16 parameters are read") {
  const auto repeat = [](std::string_view text, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
  };
  CHECK(parse_extensions(repeat("x,", 64)).value().size() == 64);
  CHECK_FALSE(parse_extensions(repeat("x,", 65)));
  CHECK(parse_extensions("x" + repeat(";p", 16)).value().front().parameters.size() == 16);
  CHECK_FALSE(parse_extensions("x" + repeat(";p", 17)));
  CHECK(parse_extensions(repeat(",", 100000)).value().empty());
}

}  // namespace
}  // namespace wsproxy::deflate
