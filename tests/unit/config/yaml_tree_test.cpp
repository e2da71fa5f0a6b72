#include "config/yaml_tree.hpp"

#include <catch2/catch.hpp>

#include "config/text_rules.hpp"

namespace wsproxy::config {
namespace {

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST_CASE("maps, lists and values keep their order and positions") {
  const auto document = parse_yaml("a: 1\nb:\n  - x\n  - {c: \"y z\"}\na:\n");
  REQUIRE(document.problem.empty());
  const auto& members = document.root.members;
  REQUIRE(members.size() == 3);
  CHECK(members[0].key == "a");
  CHECK(members[0].at == Position{1, 1});
  CHECK(members[0].value.text == "1");
  CHECK(members[0].value.at == Position{1, 4});
  REQUIRE(members[1].value.items.size() == 2);
  CHECK(members[1].value.items[0].at == Position{3, 5});
  CHECK(members[1].value.items[1].members.at(0).value.text == "y z");
  CHECK(members[1].value.items[1].members.at(0).value.at == Position{4, 9});
  CHECK(members[2].key == "a");
  CHECK(members[2].value.kind == YamlNode::Kind::null);
}

TEST_CASE("an empty text, comments and a lone marker are an empty document") {
  for (const char* text : {"", "\n\n", "# nothing\n", "---\n", "--- # nothing\n...\n", "~", "\xEF\xBB\xBF"}) {
    CAPTURE(text);
    const auto document = parse_yaml(text);
    CHECK(document.problem.empty());
    CHECK(document.root.kind == YamlNode::Kind::null);
  }
}

TEST_CASE("what a config does not need is refused with its position") {
  struct Case {
    std::string text;
    Position at;
    std::string problem;
  };
  const auto row = GENERATE(values<Case>({
      {"a: &x 1\n", {1, 4}, "anchors are not supported, write the value out"},
      {"a: 1\nb: *x\n", {2, 4}, ""},
      {"a: !!binary x\n", {1, 4}, "tags are not supported, remove it"},
      {"a: 1\n---\nb: 1\n",
       {2, 1},
       "a second document begins here, only one is allowed; is the indentation right?"},
      {"? [a]\n: 1\n", {1, 3}, "a key must be a word"},
      {"? {a: b}\n: 1\n", {1, 3}, "a key must be a word"},
      {"a: 1\n: 2\n", {2, 1}, "a key must be a word"},
      {"\"a\\nb\": 1\n", {1, 1}, "a key has a control character"},
  }));
  CAPTURE(row.text);
  const auto document = parse_yaml(row.text);
  CHECK(document.problem_at == row.at);
  if (row.problem.empty())
    CHECK_FALSE(document.problem.empty());
  else
    CHECK(document.problem == row.problem);
}

TEST_CASE("broken YAML is one problem with a position") {
  for (const char* text : {"a: [1\n", "a: 1\n\tb: 2\n", "a: b: c\n", "a: 1\n- 2\n", "@a", "%YAML 9\n---\n"}) {
    CAPTURE(text);
    const auto document = parse_yaml(text);
    CHECK(document.problem.starts_with("is not valid YAML: "));
    CHECK(document.problem_at.line > 0);
  }
}

TEST_CASE("the parser's own words are printable whatever octet they quote") {
  // U+24FA2 after the backslash: yaml-cpp quotes its first octet alone.
  for (const char* text : {"\"\\\xF0\xA4\xBE\xA2\"\n", "\"\\\x01\"\n"}) {
    const auto document = parse_yaml(text);
    CHECK(document.problem.starts_with("is not valid YAML: "));
    CHECK(is_printable(document.problem));
  }
}

TEST_CASE("what is not UTF-8 is refused before it is parsed") {
  CHECK(parse_yaml("a: \xFF\n").problem == "is not UTF-8 text");
  CHECK(parse_yaml(std::string{"a: \0", 4}).problem == "is not UTF-8 text");
  CHECK(parse_yaml(std::string{"\xFF\xFE"
                               "a\0",
                               4})
            .problem == "is not UTF-8 text");
}

TEST_CASE("size, number of values and depth are bounded") {
  CHECK(parse_yaml("#" + std::string(kMaxYamlBytes - 1, ' ')).problem.empty());
  CHECK(parse_yaml("#" + std::string(kMaxYamlBytes, ' ')).problem == "is larger than 1 MiB");
  CHECK(parse_yaml(repeated("- 1\n", kMaxYamlNodes - 1)).problem.empty());
  CHECK(parse_yaml(repeated("- 1\n", kMaxYamlNodes)).problem == "there are more than 20000 values and keys");
  CHECK_FALSE(parse_yaml(std::string(100'000, '[')).problem.empty());
  CHECK_FALSE(parse_yaml(repeated("- ", 100'000)).problem.empty());
}

TEST_CASE("a bomb of aliases ends at its first anchor") {
  const auto document = parse_yaml("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n");
  CHECK(document.problem == "anchors are not supported, write the value out");
}

}  // namespace
}  // namespace wsproxy::config
