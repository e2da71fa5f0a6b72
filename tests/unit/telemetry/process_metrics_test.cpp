#include "telemetry/process_metrics.hpp"

#include <chrono>
#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>

using namespace wsproxy::telemetry;

namespace {
constexpr std::string_view kStat =
    "4711 (ws proxy) (x) S 1 4711 4711 0 -1 4194560 100 0 3 0 250 50 0 0 20 0 5 0 123456 98304000 2048 "
    "18446744073709551615 1 1 0\n";
}

TEST_CASE("proc(5): the numbers of a stat line are found behind a name with spaces and parentheses") {
  const auto stat = parse_process_stat(kStat);
  REQUIRE(stat);
  CHECK(stat->user_ticks == 250);
  CHECK(stat->system_ticks == 50);
  CHECK(stat->threads == 5);
  CHECK(stat->start_ticks == 123456);
  CHECK(stat->virtual_bytes == 98304000);
  CHECK(stat->resident_pages == 2048);
}

TEST_CASE("a stat line that is cut anywhere before its last number gives nothing") {
  const auto last_number = kStat.find(" 2048");
  for (std::size_t size = 0; size <= last_number; ++size)
    CHECK_FALSE(parse_process_stat(kStat.substr(0, size)));
  CHECK_FALSE(parse_process_stat("1 (a) S 1 1 1 0 -1 0 0 0 0 0 x 50 0 0 20 0 5 0 1 1 1"));
}

TEST_CASE("the boot time is the number of the btime line") {
  CHECK(parse_boot_time("cpu 1 2 3\nbtime 1700000000\nprocesses 5\n") == 1700000000);
  CHECK_FALSE(parse_boot_time("cpu 1 2 3\nxbtime 17\n"));
  CHECK_FALSE(parse_boot_time("cpu 1\nbtime x\n"));
  CHECK_FALSE(parse_boot_time(""));
}

TEST_CASE("the process knows itself") {
  const auto before = read_process_metrics();
  REQUIRE(before.open_fds);
  REQUIRE(before.max_fds);
  REQUIRE(before.max_virtual_bytes);
  CHECK(*before.max_virtual_bytes >= before.virtual_bytes.value());
  REQUIRE(before.resident_bytes);
  REQUIRE(before.virtual_bytes);
  REQUIRE(before.start_time_seconds);
  CHECK(before.threads.value_or(0) >= 1);
  CHECK(before.cpu_seconds.value_or(-1) >= 0);
  CHECK(*before.resident_bytes > 100'000);
  CHECK(*before.virtual_bytes >= *before.resident_bytes);
  CHECK(*before.open_fds <= *before.max_fds);

  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  CHECK(*before.start_time_seconds <= now + 1);
  CHECK(*before.start_time_seconds > now - 3600);

  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  CHECK(read_process_metrics().open_fds == *before.open_fds + 1);
  close(fd);
}
