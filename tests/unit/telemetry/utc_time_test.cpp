#include "telemetry/utc_time.hpp"

#include <string_view>

#include <catch2/catch.hpp>

using namespace wsproxy::telemetry;

namespace {
std::string text_at(std::chrono::milliseconds since_1970) {
  const auto text = utc_text(std::chrono::system_clock::time_point{since_1970});
  return {text.data(), text.size()};
}
}  // namespace

TEST_CASE("times are UTC with milliseconds, always as long") {
  using namespace std::chrono_literals;
  CHECK(text_at(0ms) == "1970-01-01T00:00:00.000Z");
  CHECK(text_at(1'700'000'000'007ms) == "2023-11-14T22:13:20.007Z");
  CHECK(text_at(951'782'399'999ms) == "2000-02-28T23:59:59.999Z");
  CHECK(text_at(951'782'400'000ms) == "2000-02-29T00:00:00.000Z");
}
