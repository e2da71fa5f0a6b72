#include <catch2/catch.hpp>

#include "support/manual_clock.hpp"

namespace wsproxy::net {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a timer goes by the clock that is linked", "[clock]") {
  IoContext io;
  Timer timer(io.get_executor(), 1h);
  bool is_over = false;
  timer.async_wait([&](const error_code&) { is_over = true; });
  test::pass(io, 1h - 1ns);
  CHECK_FALSE(is_over);
  test::pass(io, 1ns);
  CHECK(is_over);
}

}  // namespace
}  // namespace wsproxy::net
