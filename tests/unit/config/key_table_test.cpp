#include "config/key_table.hpp"

#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "config/yaml_reader.hpp"

namespace wsproxy::config {
namespace {

std::string read_document(const std::string& name) {
  std::ifstream file{std::string{WSPROXY_SOURCE_DIR} + "/docs/" + name};
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST_CASE("docs/configuration.md ends with the table of keys") {
  const std::string document = read_document("configuration.md");
  std::istringstream rows{key_table()};
  for (std::string row; std::getline(rows, row);) {
    if (document.find("\n" + row + "\n") == std::string::npos) FAIL_CHECK("missing: " << row);
  }
  const bool has_nothing_else = document.ends_with("\n\n" + key_table());
  CHECK(has_nothing_else);
}

TEST_CASE("docs/config.example.yaml has every key at its default") {
  const auto result = read_config(read_document("config.example.yaml"), "config.example.yaml",
                                  [](const std::string&) { return std::nullopt; });
  for (const Error& error : result.errors) FAIL_CHECK(error.text());
  Config expected;
  expected.listeners[0].name = "public";
  CHECK(result.config == expected);
}

}  // namespace
}  // namespace wsproxy::config
