#include "telemetry/crash_report.hpp"

#include <catch2/catch.hpp>

using namespace wsproxy::telemetry;

TEST_CASE("a crash is read as it was written") {
  const auto report = parse_crash_report(
      R"({"time":"2026-01-02T03:04:05.678Z","level":"error","message":"crashed","signal":"SIGABRT","number":6,)"
      R"("code":-6,"address":"none","reason":"unhandled exception St9bad_alloc","thread":"worker","thread_id":7,)"
      R"("version":"0.1.0","build_id":"ab","backtrace":["libc.so.6+0x10","wsproxy+0x1f","?"],)"
      R"("images":[{"name":"wsproxy","base":"0x55","size":"0x1000","build_id":"ab"}]})"
      "\n");
  REQUIRE(report);
  CHECK(report->time == "2026-01-02T03:04:05.678Z");
  CHECK(report->signal == "SIGABRT");
  CHECK(report->number == 6);
  CHECK(report->code == -6);
  CHECK(report->address == "none");
  CHECK(report->reason == "unhandled exception St9bad_alloc");
  CHECK(report->thread == "worker");
  CHECK(report->thread_id == 7);
  CHECK(report->build_id == "ab");
  REQUIRE(report->frames.size() == 3);
  CHECK(report->frames[1].image == "wsproxy");
  CHECK(report->frames[1].offset == 0x1f);
  CHECK(report->frames[2].image == "?");
  REQUIRE(report->images.size() == 1);
  CHECK(report->images[0].base == 0x55);
  CHECK(report->images[0].size == 0x1000);
}

TEST_CASE("what is no crash is none, and what is half of one does no harm") {
  for (const char* text : {"", "{", "[]", "{}", "null", R"({"signal":7})", "\xff\xfe"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_crash_report(text));
  }
  const auto report = parse_crash_report(
      R"({"signal":"SIGBUS","number":"x","code":1.5,"backtrace":["a+0xzz","b+1",7,"c"],"images":[7,{}]})");
  REQUIRE(report);
  CHECK(report->number == 0);
  CHECK(report->frames.size() == 2);
  CHECK(report->frames[0].offset == 0);
  CHECK(report->images.empty());
  const std::string many(100'000, '1');
  CHECK(parse_crash_report(R"({"signal":")" + many + "\"}")->signal.size() == 256);
}
