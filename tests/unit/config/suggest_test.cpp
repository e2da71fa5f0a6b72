#include "config/suggest.hpp"

#include <vector>

#include <catch2/catch.hpp>

namespace wsproxy::config {
namespace {

const std::vector<std::string> kKeys{"level", "engine", "window_bits", "client_window_bits", "min_size"};

TEST_CASE("a slip of the keyboard gets its key") {
  CHECK(suggest("levle", kKeys) == "level");
  CHECK(suggest("lvel", kKeys) == "level");
  CHECK(suggest("leevel", kKeys) == "level");
  CHECK(suggest("emgine", kKeys) == "engine");
  CHECK(suggest("window_bit", kKeys) == "window_bits");
}

TEST_CASE("dashes and capitals are no mistake") {
  CHECK(suggest("min-size", kKeys) == "min_size");
  CHECK(suggest("Client-Window-Bits", kKeys) == "client_window_bits");
}

TEST_CASE("the nearest one wins") {
  const std::vector<std::string> near{"close_code", "close"};
  CHECK(suggest("clos", near) == "close");
  CHECK(suggest("close_cod", near) == "close_code");
}

TEST_CASE("another word gets none") {
  CHECK(suggest("", kKeys) == std::nullopt);
  CHECK(suggest("colour", kKeys) == std::nullopt);
  CHECK(suggest("x", kKeys) == std::nullopt);
  CHECK(suggest(std::string(100'000, 'l'), kKeys) == std::nullopt);
  CHECK(suggest("level", {}) == std::nullopt);
}

}  // namespace
}  // namespace wsproxy::config
