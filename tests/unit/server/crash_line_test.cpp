#include "server/crash_line.hpp"

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "telemetry/crash_report.hpp"

namespace wsproxy::server {
namespace {

CrashFacts facts() {
  CrashFacts facts{};
  std::ranges::copy(std::string_view{"0.1.0"}, facts.version.begin());
  std::ranges::copy(std::string_view{"wsproxy"}, facts.images[0].name.begin());
  std::ranges::copy(std::string_view{"abcd"}, facts.images[0].build_id.begin());
  facts.images[0].base = 0x10000000;
  facts.images[0].size = 0x1000;
  facts.image_count = 1;
  facts.signal = "SIGSEGV";
  facts.number = SIGSEGV;
  facts.code = SEGV_MAPERR;
  facts.stack = 0x7ffc'0000'0000;
  return facts;
}

telemetry::CrashReport told(const CrashFacts& of, const std::vector<std::uint64_t>& frames = {}) {
  std::vector<void*> addresses;
  for (const std::uint64_t frame : frames) addresses.push_back(reinterpret_cast<void*>(frame));  // NOLINT
  CrashText text;
  write_crash_line(text, of, {}, addresses);
  CHECK(text.text().ends_with("}\n"));
  const auto report = telemetry::parse_crash_report(text.text());
  REQUIRE(report);
  return *report;
}

std::string told_address(std::uint64_t address, int code = SEGV_MAPERR) {
  CrashFacts of = facts();
  of.address = address;
  of.code = code;
  return told(of).address;
}

TEST_CASE("an address is told only where no client's bytes can make one") {
  CHECK(told_address(0) == "0x0");
  CHECK(told_address(0xFFFFF) == "0xfffff");
  CHECK(told_address(0x100000) == "elsewhere");
  CHECK(told_address(0x10000FFF) == "0x10000fff");
  CHECK(told_address(0x10001000) == "elsewhere");
  CHECK(told_address(0x7ffc'0000'0000 - 4096) == "the stack");
  CHECK(told_address(0x7ffc'0000'0000 - (1 << 21)) == "elsewhere");
  CHECK(told_address(0x4142434445464748) == "elsewhere");
  CHECK(told_address(0, SI_KERNEL) == "elsewhere");
  CHECK(told_address(0x3e8'0000'0001, SI_USER) == "none");
}

TEST_CASE("a frame is an offset into a file of code, or unknown") {
  const auto report = told(facts(), {0x10000010, 0x4142434445464748, 0x10001000, 0});
  REQUIRE(report.frames.size() == 4);
  CHECK(report.frames[0].image == "wsproxy");
  CHECK(report.frames[0].offset == 0x10);
  for (std::size_t i = 1; i < 4; ++i) CHECK(report.frames[i].image == "?");
}

TEST_CASE("a line of many frames and files still is one write to a pipe, and whole") {
  CrashFacts of = facts();
  for (CrashImage& image : of.images) {
    image.name.fill('n');
    image.name.back() = '\0';
    image.build_id.fill('b');
    image.build_id.back() = '\0';
    image.base = 0x7000'0000'0000 + static_cast<std::uint64_t>(&image - of.images.data()) * 0x100000;
    image.size = 0x100000;
  }
  of.image_count = of.images.size();
  of.thread.fill('t');
  of.thread.back() = '\0';
  const std::string type(1000, 'x');
  of.reason = type.c_str();
  std::vector<std::uint64_t> frames;
  for (std::uint64_t i = 0; i < 64; ++i) frames.push_back(of.images[i % of.image_count].base + 0xABCDE);
  const auto report = told(of, frames);
  CHECK(report.frames.size() > 20);
  CHECK(report.images.size() > 3);
  CHECK(report.build_id == std::string(64, 'b'));
}

}  // namespace
}  // namespace wsproxy::server
