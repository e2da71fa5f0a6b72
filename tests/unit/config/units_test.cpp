#include "config/units.hpp"

#include <regex>

#include <catch2/catch.hpp>

namespace wsproxy::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("durations take ms, s, m and h") {
  CHECK(*parse_duration("250ms") == Duration{250});
  CHECK(*parse_duration("30s") == seconds{30});
  CHECK(*parse_duration("5 m") == minutes{5});
  CHECK(*parse_duration("2h") == hours{2});
  CHECK(*parse_duration("0s") == Duration{0});
}

TEST_CASE("only a duration of 0 may go without a unit") {
  CHECK(*parse_duration("0") == Duration{0});
  CHECK(parse_duration("5").problem == "has no unit");
}

TEST_CASE("what is no duration is refused") {
  for (const char* text :
       {"", "s", "-1s", "+1s", "1.5s", "1d", "1S", "1  s", "1s ", " 1s", "1m30s", "0x1s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("a duration that does not fit is refused, not wrapped") {
  CHECK(*parse_duration("9223372036854775807ms") == Duration{9223372036854775807});
  CHECK(parse_duration("9223372036854775808ms").problem == "is too large");
  CHECK(*parse_duration("2562047788015h") == hours{2562047788015});
  CHECK(parse_duration("2562047788016h").problem == "is too large");
  CHECK(parse_duration("99999999999999999999s").problem == "is too large");
}

TEST_CASE("a duration is written in the largest exact unit") {
  CHECK(duration_text(Duration{0}) == "0s");
  CHECK(duration_text(Duration{1500}) == "1500ms");
  CHECK(duration_text(seconds{90}) == "90s");
  CHECK(duration_text(minutes{90}) == "90m");
  CHECK(duration_text(hours{24}) == "24h");
}

TEST_CASE("sizes take powers of 1024, powers of 1000 and plain numbers") {
  CHECK(*parse_size("17") == 17);
  CHECK(*parse_size("17B") == 17);
  CHECK(*parse_size("4KiB") == 4096);
  CHECK(*parse_size("16 MiB") == 16'777'216);
  CHECK(*parse_size("1GiB") == 1'073'741'824);
  CHECK(*parse_size("4KB") == 4000);
  CHECK(*parse_size("16MB") == 16'000'000);
  CHECK(*parse_size("1GB") == 1'000'000'000);
  CHECK(*parse_size("0") == 0);
}

TEST_CASE("what is no size is refused") {
  for (const char* text :
       {"", "KiB", "-1", "1.5MiB", "1K", "1kb", "1kib", "1TiB", "1M", "0x10", "1e3", "1_000"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text));
  }
  CHECK(parse_size("5K").problem == "has the unknown unit \"K\"");
}

TEST_CASE("a size that does not fit is refused, not wrapped") {
  CHECK(*parse_size("18446744073709551615") == 18446744073709551615U);
  CHECK(parse_size("18446744073709551616").problem == "is too large");
  CHECK(*parse_size("17179869183GiB") == 17179869183ULL << 30);
  CHECK(parse_size("17179869184GiB").problem == "is too large");
}

TEST_CASE("a size is written in the largest exact power of 1024") {
  CHECK(size_text(0) == "0");
  CHECK(size_text(32) == "32B");
  CHECK(size_text(4096) == "4KiB");
  CHECK(size_text(4097) == "4097B");
  CHECK(size_text(256ULL << 20) == "256MiB");
  CHECK(size_text(3ULL << 40) == "3072GiB");
}

bool fits(const std::string& pattern, const std::string& text) {
  return std::regex_search(text, std::regex{pattern});
}

TEST_CASE("a size's pattern has every way to write one in its bounds") {
  const std::string pattern = size_pattern(1 << 20, 1ULL << 40);
  for (const char* text : {"1048576", "01048576", "1048576 ", "1048576B", "1024KiB", "1024 KiB", "1MiB",
                           "1GiB", "1024GiB", "2MB", "1GB", "1099511627776", "1099GB"}) {
    CAPTURE(text);
    CHECK(parse_size(text));
    CHECK(fits(pattern, text));
  }
  for (const char* text : {"1KiB", "512KiB", "999 KB", "0", "0MiB", "104857", "99999GiB", "1TiB", "1 048 576",
                           "MiB", "1.5MiB", "-1MiB", "1mib", "x1MiB", "1MiBx", ""}) {
    CAPTURE(text);
    CHECK_FALSE(fits(pattern, text));
  }
  CHECK(fits(size_pattern(0, 64 << 10), "0"));
  CHECK(fits(size_pattern(0, 64 << 10), "000"));
  CHECK_FALSE(fits(size_pattern(0, 64 << 10), "1GiB"));
}

TEST_CASE("a duration's pattern has every way to write one in its bounds") {
  const std::string pattern = duration_pattern(Duration{1}, Duration{3'600'000});
  for (const char* text : {"1ms", "3600000ms", "3600s", "60m", "1h", "1 s", "007m"}) {
    CAPTURE(text);
    CHECK(fits(pattern, text));
  }
  for (const char* text : {"0", "0s", "00ms", "100m", "10h", "36000000ms", "1", "1d", ""}) {
    CAPTURE(text);
    CHECK_FALSE(fits(pattern, text));
  }
  CHECK(fits(duration_pattern(Duration{0}, Duration{1000}), "0"));
  CHECK(fits(duration_pattern(Duration{0}, Duration{1000}), "0h"));
}

}  // namespace
}  // namespace wsproxy::config
