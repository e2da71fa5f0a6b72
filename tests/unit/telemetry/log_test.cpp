#include "telemetry/log.hpp"

#include <fcntl.h>
#include <future>
#include <new>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "telemetry/line_writer.hpp"

using namespace wsproxy::telemetry;
using namespace std::chrono_literals;

namespace {

/// Filled by the log's thread; to be read after the log's end, which joins it.
using Lines = std::vector<std::string>;

LogOptions into(Lines& lines, LogFormat format = LogFormat::text) {
  LogOptions options;
  options.format = format;
  options.sink = [&lines](std::string_view line) { lines.emplace_back(line); };
  options.clock = [] { return std::chrono::system_clock::time_point{}; };
  return options;
}

}  // namespace

TEST_CASE("lines reach the sink in order and all of them by the log's end") {
  Lines lines;
  {
    Log log(into(lines));
    for (int i = 0; i < 500; ++i) log.write(Level::info, "line", {{"i", i}});
  }
  REQUIRE(lines.size() == 500);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CHECK(lines[i] == "1970-01-01T00:00:00.000Z info  line i=" + std::to_string(i));
  }
}

TEST_CASE("a level that is off is not written") {
  Lines lines;
  {
    auto options = into(lines);
    options.level = Level::warning;
    Log log(std::move(options));
    CHECK(log.enabled(Level::error));
    CHECK(log.enabled(Level::warning));
    CHECK_FALSE(log.enabled(Level::info));
    log.write(Level::info, "no");
    log.write(Level::error, "yes");
  }
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].ends_with("error yes"));
}

TEST_CASE("a log that is not on a terminal writes JSON by itself") {
  Lines lines;
  { Log(into(lines, LogFormat::automatic)).write(Level::info, "hello"); }
  REQUIRE(lines.size() == 1);
  CHECK(nlohmann::json::parse(lines[0])["message"] == "hello");
}

TEST_CASE("borrowed values may be gone before the line is written") {
  Lines lines;
  {
    Log log(into(lines));
    std::string value = "first";
    log.write(Level::info, "m", {{"value", value}});
    value.assign("other");
  }
  CHECK(lines.at(0).ends_with("value=first"));
}

TEST_CASE("a stuck sink never holds a writer: the oldest lines go, and how many is said") {
  constexpr int kQueue = 8;
  constexpr int kWritten = 100;
  Lines lines;
  std::promise<void> is_stuck;
  std::promise<void> go_on;
  {
    auto options = into(lines);
    options.queue_lines = kQueue;
    options.sink = [&, first = true](std::string_view line) mutable {
      if (std::exchange(first, false)) {
        is_stuck.set_value();
        go_on.get_future().wait();
      }
      lines.emplace_back(line);
    };
    Log log(std::move(options));
    log.write(Level::info, "the one that is stuck");
    is_stuck.get_future().wait();
    CHECK(log.dropped() == 0);
    for (int i = 0; i < kWritten; ++i) log.write(Level::info, "line", {{"i", i}});
    CHECK(log.dropped() == kWritten - kQueue);
    go_on.set_value();
  }
  REQUIRE(lines.size() == 1 + 1 + kQueue);
  CHECK(lines[1].find("warn  log lines dropped count=" + std::to_string(kWritten - kQueue)) !=
        std::string::npos);
  CHECK(lines.back().ends_with("i=99"));
}

TEST_CASE("many threads may write at once") {
  Lines lines;
  {
    Log log(into(lines));
    std::vector<std::thread> writers;
    for (int t = 0; t < 4; ++t) {
      writers.emplace_back([&log] {
        for (int i = 0; i < 200; ++i) log.write(Level::info, "line", {{"text", "a b"}});
      });
    }
    for (auto& writer : writers) writer.join();
  }
  REQUIRE(lines.size() == 800);
  for (const auto& line : lines) CHECK(line.ends_with(R"(line text="a b")"));
}

TEST_CASE("a line longer than a pipe's atomic size arrives whole") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const std::string line(20'000, 'x');
  std::thread writer([&] {
    LineWriter(ends[1]).write(line);
    close(ends[1]);
  });
  std::string read_back;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) > 0;) {
    read_back.append(buffer, static_cast<std::size_t>(n));
  }
  writer.join();
  close(ends[0]);
  CHECK(read_back == line + "\n");
}

TEST_CASE("a pipe that nobody reads is given up when the end has come") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  LineWriter writer(ends[1]);
  writer.give_up_after(0ms);
  const std::string line(1 << 20, 'x');  // more than any pipe holds by default
  writer.write(line);
  const auto full = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) writer.write("one more");
  CHECK(std::chrono::steady_clock::now() - full < 1s);
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("the level is changed while threads write") {
  Lines lines;
  {
    Log log(into(lines));
    CHECK(log.level() == Level::info);
    log.write(Level::debug, "before");
    std::thread other([&log] { log.set_level(Level::debug); });
    other.join();
    log.write(Level::debug, "while");
    log.set_level(Level::error);
    log.write(Level::warning, "after");
  }
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].ends_with("debug while"));
}

TEST_CASE("a line again and again is written so many times, and what was left out is told once") {
  Lines lines;
  {
    Log log(into(lines));
    for (int i = 0; i < 500; ++i) log.write(Level::warning, "m", {{"reason", "r"}, {"client", i}});
    log.keep_house();
    log.write(Level::info, "access");
  }
  REQUIRE(lines.size() == 12);
  CHECK(lines[9].ends_with("warn  m reason=r client=9"));
  CHECK(lines[10].ends_with("info  access"));
  CHECK(lines[11].ends_with("warn  m reason=r repeated=490"));
}

TEST_CASE("what was left out is told when the window has ended, though no line follows") {
  Lines lines;
  {
    auto options = into(lines);
    std::chrono::steady_clock::time_point now{1h};
    options.repetition = {1, 10s};
    options.steady_clock = [&now] { return now; };
    Log log(std::move(options));
    log.write(Level::warning, "quiet");
    log.write(Level::warning, "quiet");
    now += 10s - 1ns;
    log.keep_house();
    log.write(Level::info, "not yet");
    now += 1ns;
    log.keep_house();
    log.write(Level::info, "now it was");
  }
  REQUIRE(lines.size() == 4);
  CHECK(lines[1].ends_with("not yet"));
  CHECK(lines[2].ends_with("quiet repeated=1"));
}

TEST_CASE("errors, and they alone, are handed on by the thread that writes them") {
  Lines lines;
  std::vector<std::string> errors;
  std::thread::id told_on;
  {
    auto options = into(lines);
    options.on_error = [&](const LogLine& line) {
      errors.emplace_back(line.message);
      told_on = std::this_thread::get_id();
    };
    Log log(std::move(options));
    log.write(Level::warning, "no");
    log.write(Level::error, "yes", {{"count", 1}});
    CHECK(errors == std::vector<std::string>{"yes"});
  }
  CHECK(told_on == std::this_thread::get_id());
  CHECK(lines.size() == 2);
}

TEST_CASE("a line that is lost for want of memory is counted and reported") {
  for (const bool is_on_the_logs_thread : {false, true}) {
    CAPTURE(is_on_the_logs_thread);
    Lines lines;
    bool is_short = true;
    {
      auto options = into(lines);
      auto run_short = [&is_short] {
        if (std::exchange(is_short, false)) throw std::bad_alloc{};
      };
      if (is_on_the_logs_thread) {
        options.sink = [&lines, run_short](std::string_view line) {
          run_short();
          lines.emplace_back(line);
        };
      } else {
        options.clock = [run_short] {
          run_short();
          return std::chrono::system_clock::time_point{};
        };
      }
      Log log(std::move(options));
      log.write(Level::info, "lost");
      log.write(Level::info, "kept");
      while (log.dropped() == 0) std::this_thread::yield();
      CHECK(log.dropped() == 1);
    }
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].ends_with("info  kept"));
    CHECK(lines[1].ends_with("log lines dropped count=1"));
  }
}
