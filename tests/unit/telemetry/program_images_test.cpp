#include "telemetry/program_images.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

using namespace wsproxy::telemetry;

namespace {
void somewhere() {
}
}  // namespace

TEST_CASE("the program comes first, with its build id and where its code is") {
  const auto images = program_images();
  REQUIRE(images.size() > 1);
  CHECK(images[0].name == "unit_telemetry");
  CHECK(images[0].build_id.size() == 40);
  CHECK(images[0].build_id == program_build_id());
  const auto here = reinterpret_cast<std::uint64_t>(&somewhere);
  CHECK(here >= images[0].base);
  CHECK(here < images[0].base + images[0].size);
  const auto libc = std::ranges::find(images, "libc.so.6", &ProgramImage::name);
  REQUIRE(libc != images.end());
  CHECK_FALSE(libc->build_id.empty());
}
