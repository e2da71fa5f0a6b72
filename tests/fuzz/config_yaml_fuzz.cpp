// Any text is read without an exception and in bounded time, its errors say something, and a config that
// is read without errors is dumped to YAML that reads back equal.

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "base/utf8.hpp"
#include "config/dump.hpp"
#include "config/validate.hpp"
#include "config/yaml_reader.hpp"

namespace {

using namespace wsproxy;

void require(bool holds) {
  if (!holds) std::abort();
}

std::optional<std::string> variable(const std::string& name) {
  if (name == "A") return "value";
  if (name == "E") return "";
  if (name == "N") return "7";
  return std::nullopt;
}

void check_round_trip(config::Config config) {
  config.sentry.dsn.clear();  // a secret is not dumped
  const auto again = config::read_config(config::dump(config), "dump.yaml", variable);
  require(again.errors.empty());
  require(again.config == config);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto result = config::read_config(text, "fuzz.yaml", variable);
  for (const config::Error& error : result.errors) {
    require(!error.problem.empty());
    require(base::is_utf8(error.text()));
  }
  if (!result.errors.empty()) return 0;
  require(config::validate(result.config).empty());
  check_round_trip(result.config);
  return 0;
}
