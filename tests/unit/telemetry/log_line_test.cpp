#include "telemetry/log_line.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace wsproxy::telemetry;
using namespace std::chrono_literals;

namespace {

// 2026-11-22T12:00:00.123Z
constexpr std::chrono::system_clock::time_point kNow{std::chrono::milliseconds{1'795'348'800'123}};

std::string text(Level level, std::string_view message, const std::vector<LogField>& fields = {}) {
  return text_line({kNow, level, message, fields});
}

std::string json(Level level, std::string_view message, const std::vector<LogField>& fields = {}) {
  return json_line({kNow, level, message, fields});
}

}  // namespace

TEST_CASE("a text line has time, level, message and key=value") {
  CHECK(text(Level::info, "message", {{"key", "value"}}) ==
        "2026-11-22T12:00:00.123Z info  message key=value");
  CHECK(text(Level::error, "m") == "2026-11-22T12:00:00.123Z error m");
  CHECK(text(Level::warning, "m") == "2026-11-22T12:00:00.123Z warn  m");
  CHECK(text(Level::debug, "m") == "2026-11-22T12:00:00.123Z debug m");
}

TEST_CASE("a JSON line is one object with time, level and message first") {
  CHECK(json(Level::warning, "say \"hi\"", {{"key", "value"}}) ==
        R"({"time":"2026-11-22T12:00:00.123Z","level":"warning","message":"say \"hi\"","key":"value"})");
}

TEST_CASE("values of every type are written as JSON has them") {
  const std::string owned = "owned";
  const std::vector<LogField> fields{
      {"int", -1},
      {"short", std::uint16_t{65535}},
      {"min", std::numeric_limits<std::int64_t>::min()},
      {"max", std::numeric_limits<std::uint64_t>::max()},
      {"half", 0.5},
      {"yes", true},
      {"no", false},
      {"text", owned},
      {"view", std::string_view("view")},
      {"nan", std::nan("")},
      {"inf", -std::numeric_limits<double>::infinity()},
  };
  CHECK(
      text(Level::info, "m", fields) ==
      "2026-11-22T12:00:00.123Z info  m int=-1 short=65535 min=-9223372036854775808 max=18446744073709551615 "
      "half=0.5 yes=true no=false text=owned view=view nan=null inf=null");
  const auto parsed = nlohmann::json::parse(json(Level::info, "m", fields));
  CHECK(parsed["int"] == -1);
  CHECK(parsed["min"] == std::numeric_limits<std::int64_t>::min());
  CHECK(parsed["max"] == std::numeric_limits<std::uint64_t>::max());
  CHECK(parsed["half"] == 0.5);
  CHECK(parsed["yes"] == true);
  CHECK(parsed["nan"].is_null());
  CHECK(parsed["inf"].is_null());
  CHECK(parsed["text"] == "owned");
}

TEST_CASE("a peer's text cannot begin a line or a field of its own") {
  const auto line = text(Level::info, "m", {{"path", "/x\n2026-11-22T12:00:00.123Z error m closed_by=app"}});
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.ends_with(R"(path="/x\n2026-11-22T12:00:00.123Z error m closed_by=app")"));
  const auto parsed = nlohmann::json::parse(json(Level::info, "m", {{"path", "\",\"level\":\"error"}}));
  CHECK(parsed["level"] == "info");
  CHECK(parsed["path"] == "\",\"level\":\"error");
}

TEST_CASE("a value at the limit is whole, one byte more is cut with a mark, not inside a character") {
  const std::string whole(kMaxLogValueBytes, 'x');
  CHECK(nlohmann::json::parse(json(Level::info, "m", {{"v", whole}}))["v"] == whole);
  CHECK(nlohmann::json::parse(json(Level::info, "m", {{"v", whole + 'x'}}))["v"] == whole + "...");
  for (std::size_t shift = 0; shift < 4; ++shift) {
    std::string wide(shift, 'x');
    while (wide.size() <= kMaxLogValueBytes) wide += "\U0001F600";
    const std::string cut = nlohmann::json::parse(json(Level::info, "m", {{"v", wide}}))["v"];
    CHECK(cut.find("\uFFFD") == std::string::npos);
    CHECK(cut.size() > kMaxLogValueBytes - 4);
    CHECK(cut.ends_with("\U0001F600..."));
  }
}

TEST_CASE("times before 1970 and with odd digits keep the format") {
  CHECK(text_line({std::chrono::system_clock::time_point{-1ms}, Level::info, "m", {}}) ==
        "1969-12-31T23:59:59.999Z info  m");
  CHECK(text_line({std::chrono::system_clock::time_point{951'782'399'007ms}, Level::info, "m", {}}) ==
        "2000-02-28T23:59:59.007Z info  m");
}

TEST_CASE("on a terminal the level is coloured and keys are dim") {
  const LogField field{"key", "v"};
  const LogLine line{std::chrono::system_clock::time_point{}, Level::error, "m", {&field, 1}};
  CHECK(text_line(line, Colour::terminal) ==
        "1970-01-01T00:00:00.000Z \x1b[31merror\x1b[0m m \x1b[2mkey=\x1b[0mv");
  CHECK(text_line(line) == "1970-01-01T00:00:00.000Z error m key=v");
}

TEST_CASE("colour is for terminals that know it and people who want it") {
  CHECK(colour_for(true, nullptr, nullptr) == Colour::terminal);
  CHECK(colour_for(true, "", "xterm") == Colour::terminal);
  CHECK(colour_for(true, "0", "xterm") == Colour::none);
  CHECK(colour_for(true, nullptr, "dumb") == Colour::none);
  CHECK(colour_for(false, nullptr, "xterm") == Colour::none);
}
