#include "config/environment.hpp"

#include <map>

#include <catch2/catch.hpp>

namespace wsproxy::config {
namespace {

Environment variables() {
  return [](const std::string& name) -> std::optional<std::string> {
    static const std::map<std::string, std::string> kSet{
        {"PORT", "8009"}, {"EMPTY", ""}, {"_x1", "under"}, {"NESTED", "${PORT}$$"}};
    const auto found = kSet.find(name);
    if (found == kSet.end()) return std::nullopt;
    return found->second;
  };
}

struct Case {
  std::string text;
  std::string expanded;
};

TEST_CASE("variables, defaults and dollars expand") {
  const auto row = GENERATE(values<Case>({
      {"", ""},
      {"plain", "plain"},
      {"${PORT}", "8009"},
      {"a${PORT}b${_x1}c", "a8009bunderc"},
      {"${PORT:-1}", "8009"},
      {"${UNSET:-1}", "1"},
      {"${UNSET:-}", ""},
      {"${UNSET:-a:-b}", "a:-b"},
      {"${UNSET:-$x}", "$x"},
      {"${EMPTY}", ""},
      {"${EMPTY:-1}", "1"},
      {"$$", "$"},
      {"$${PORT}", "${PORT}"},
      {"$$${PORT}", "$8009"},
      {"$", "$"},
      {"$PORT", "$PORT"},
      {"a}b", "a}b"},
      {"${NESTED}", "${PORT}$$"},
  }));
  CAPTURE(row.text);
  const auto result = expand(row.text, variables());
  CHECK(result.problem.empty());
  CHECK(result.text == row.expanded);
}

TEST_CASE("an unset variable without a default is a problem that names it") {
  CHECK(expand("a ${NOPE} b", variables()).problem ==
        "the environment variable NOPE is not set, set it or write ${NOPE:-default}");
}

TEST_CASE("a broken reference is a problem") {
  for (const char* text :
       {"${", "${PORT", "x${PORT:-", "${}", "${:-x}", "${1A}", "${A-B}", "${A B}", "${PORT:x}"}) {
    CAPTURE(text);
    CHECK_FALSE(expand(text, variables()).problem.empty());
  }
}

TEST_CASE("escaped dollars expand to the text itself") {
  for (const char* text : {"", "$", "$$", "${PORT}", "a$b$", "$${"}) {
    CAPTURE(text);
    CHECK(expand(escape_dollars(text), variables()).text == text);
  }
}

}  // namespace
}  // namespace wsproxy::config
