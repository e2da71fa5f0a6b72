#include "cli/tune_rules.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

#include "cli/tune_text.hpp"
#include "config/yaml_reader.hpp"

namespace wsproxy::cli {
namespace {

struct Tried {
  double ratio;
  std::uint64_t ns;  // a message
};

/// Trials of level 1, 6 and 9 with no history, 4 KB and 32 KB, on chat messages of 250 bytes.
Figures observed(const std::array<Tried, 9>& trials, double connections = 1000) {
  Figures figures;
  figures.in_force.mode = config::CompressionMode::observe;
  figures.seconds = 10;
  figures.workers = 2;
  figures.connections = connections;
  figures.messages = 100'000;
  figures.payload_bytes = 25e6;
  figures.cpu_seconds = 1;
  figures.memory_limit_bytes = 256e6;
  figures.observed.seen_messages = 100'000;
  figures.observed.seen_bytes = 25'000'000;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const auto out = static_cast<std::uint64_t>(250'000 * trials[i].ratio);
    figures.observed.trials[i] = {1000, 250'000, out, trials[i].ns * 1000};
  }
  return figures;
}

constexpr std::array<Tried, 9> kChat{{{.76, 5000},
                                      {.36, 1000},
                                      {.29, 1000},
                                      {.76, 5000},
                                      {.36, 1000},
                                      {.29, 1000},
                                      {.75, 9000},
                                      {.35, 9000},
                                      {.285, 9000}}};

Figures compressing() {
  Figures figures;
  figures.seconds = 10;
  figures.workers = 2;
  figures.connections = 100;
  figures.messages = 100'000;
  figures.compressed = 100'000;
  figures.payload_bytes = 25e6;
  figures.cpu_seconds = 1;
  figures.input_bytes = 25e6;
  figures.output_bytes = 8e6;
  figures.compress_seconds = 0.2;
  figures.memory_bytes = 20e6;
  figures.memory_limit_bytes = 256e6;
  figures.level = figures.configured_level = 6;
  return figures;
}

std::optional<std::string> value_of(const Recommendation& advice, const std::string& key) {
  const auto found = std::ranges::find(advice.settings, key, &Setting::key);
  if (found == advice.settings.end()) return std::nullopt;
  CHECK_FALSE(found->why.empty());
  return found->value;
}

void read(const std::string& yaml) {
  CAPTURE(yaml);
  const auto none = [](const std::string&) { return std::optional<std::string>{}; };
  const auto result = config::read_config(yaml, "tune", none);
  for (const auto& error : result.errors) FAIL(error.text());
}

}  // namespace

TEST_CASE("Trials that save recommend to compress, and promise what they saved") {
  const Figures figures = observed(kChat);
  const Recommendation advice = recommend(figures);
  CHECK(advice.is_enough);
  CHECK(value_of(advice, "mode") == "compress");
  CHECK_FALSE(value_of(advice, "level"));  // 1 would send the same in the same time
  CHECK_FALSE(value_of(advice, "enabled"));
  CHECK(advice.expected.saved_share > 0.6);
  CHECK(advice.expected.saved_bytes == Approx(advice.expected.saved_share * 2.5e6).epsilon(0.001));
  CHECK(advice.expected.cpu_cores == Approx(0.01));
}

TEST_CASE("Messages that hardly shrink are not worth it") {
  std::array<Tried, 9> random{};
  random.fill({.96, 1000});
  const Recommendation advice = recommend(observed(random));
  CHECK(value_of(advice, "enabled") == "false");
  CHECK(advice.settings.size() == 1);
}

TEST_CASE("Few messages, or few trials, tell nothing") {
  Figures figures = observed(kChat);
  SECTION("messages") {
    figures.observed.seen_messages = 999;
  }
  SECTION("trials") {
    figures.observed.trials[8].messages = 29;
  }
  const Recommendation advice = recommend(figures);
  CHECK_FALSE(advice.is_enough);
  CHECK(advice.settings.empty());
  CHECK(tune_yaml(figures, advice).find("not enough traffic") != std::string::npos);
  Figures idle = compressing();
  idle.messages = 999;
  CHECK_FALSE(recommend(idle).is_enough);
}

TEST_CASE("A long history is for what gains by it") {
  // 17 bytes a message do not pay for 28 KB more.
  CHECK(value_of(recommend(observed(kChat)), "history") == "4KiB");
  Figures large = observed(kChat);
  large.observed.seen_bytes *= 10;
  CHECK_FALSE(value_of(recommend(large), "history"));
  large.in_force.history = {.is_auto = false, .bytes = 4096};
  CHECK(value_of(recommend(large), "history") == "auto");
  // ... and for whom there is memory.
  large.in_force.history = {};
  large.connections = 10'000;
  CHECK(value_of(recommend(large), "history") == "4KiB");
  // With few connections encoders stand, and refer to the whole window anyway.
  CHECK_FALSE(value_of(recommend(observed(kChat, 100)), "history"));
}

TEST_CASE("No history where it gains nothing") {
  std::array<Tried, 9> same{};
  same.fill({.5, 1000});
  CHECK(value_of(recommend(observed(same)), "history") == "0");
}

TEST_CASE("What the operator has switched off is not switched on, but told") {
  Figures figures = observed(kChat);
  figures.in_force.context_takeover = false;
  const Recommendation advice = recommend(figures);
  CHECK_FALSE(value_of(advice, "history"));
  CHECK_FALSE(value_of(advice, "context_takeover"));
  CHECK(advice.notes.size() == 1);
  CHECK(advice.expected.saved_share == Approx(0.24));
}

TEST_CASE("A slower level is for what it saves a second of CPU, and for whom there is CPU") {
  auto trials = kChat;
  for (const std::size_t slow : {6U, 7U, 8U}) trials[slow] = {trials[slow].ratio * 0.8, 8'000};
  CHECK(value_of(recommend(observed(trials)), "level") == "9");
  Figures busy = observed(trials);
  busy.cpu_seconds = 12;
  CHECK_FALSE(value_of(recommend(busy), "level"));
  for (const std::size_t slow : {6U, 7U, 8U}) trials[slow].ns = 40'000;
  CHECK_FALSE(value_of(recommend(observed(trials)), "level"));
}

TEST_CASE("A faster level where a slow one saves hardly more") {
  Figures figures = observed(kChat);
  figures.in_force.level = 9;
  CHECK(value_of(recommend(figures), "level") == "1");
}

TEST_CASE("Messages that are too short to gain are left alone") {
  Figures figures = observed(kChat);
  figures.observed.bypassed[3] = 2000;
  CHECK(value_of(recommend(figures), "min_size") == "64B");
  Figures used = compressing();
  used.compressed = 70'000;
  used.bypassed[3] = 30'000;
  used.in_force.min_size = 64;
  CHECK(value_of(recommend(used), "min_size") == "128B");
}

TEST_CASE("How many did not shrink is told of those that were tried only") {
  Figures trials = observed(kChat);
  trials.observed.bypassed = {5000, 1000, 1000, 500, 0, 0};  // of 9000: 2000 were tried
  CHECK(value_of(recommend(trials), "min_size") == "64B");
  trials.observed.bypassed[3] = 399;
  CHECK_FALSE(value_of(recommend(trials), "min_size"));

  Figures used = compressing();
  used.compressed = 10'000;  // 60'000 go to clients without compression
  used.input_bytes = 2.5e6;
  used.output_bytes = 0.8e6;
  used.bypassed = {20'000, 4000, 3000, 3000, 0, 0};
  CHECK(value_of(recommend(used), "min_size") == "64B");
  used.bypassed[3] = 2499;
  CHECK_FALSE(value_of(recommend(used), "min_size"));
}

TEST_CASE("How many look random is told of all that might be compressed") {
  Figures used = compressing();
  used.compressed = 10'000;
  used.input_bytes = 2.5e6;
  used.output_bytes = 0.8e6;
  used.bypassed = {0, 6000, 5000, 0, 0, 0};
  REQUIRE(recommend(used).notes.size() == 1);
  CHECK(recommend(used).notes[0].starts_with("52.4 % of the messages look encrypted"));
  used.bypassed[0] = 1001;
  CHECK(recommend(used).notes.empty());
}

TEST_CASE("Random messages and broadcasts are told") {
  Figures figures = observed(kChat);
  figures.observed.bypassed[1] = 6000;
  figures.observed.broadcasts = 50'000;
  const Recommendation advice = recommend(figures);
  CHECK(advice.notes.size() == 2);
  CHECK(advice.expected.cpu_cores == Approx(0.005));
}

TEST_CASE("What compresses well already has nothing to change") {
  const Figures figures = compressing();
  const Recommendation advice = recommend(figures);
  CHECK(advice.settings.empty());
  CHECK(advice.expected.saved_share == Approx(0.68));
  CHECK(tune_yaml(figures, advice).find("nothing to change") != std::string::npos);
}

TEST_CASE("What compresses in vain is switched off") {
  Figures figures = compressing();
  figures.output_bytes = 24.5e6;
  CHECK(value_of(recommend(figures), "enabled") == "false");
}

TEST_CASE("What compression saves is told of those who have agreed to it") {
  Figures figures = compressing();
  figures.messages = 500'000;
  figures.payload_bytes = 125e6;
  figures.output_bytes = 20e6;  // 4 % of all
  CHECK(recommend(figures).settings.empty());
  CHECK(recommend(figures).notes.empty());
  CHECK(recommend(figures).expected.saved_share == Approx(0.04));
  SECTION("it saves them too little") {
    figures.output_bytes = 24e6;
    CHECK(value_of(recommend(figures), "enabled") == "false");
  }
  SECTION("it saves them too little since most of theirs goes raw") {
    figures.bypassed[2] = 350'000;
    CHECK(value_of(recommend(figures), "enabled") == "false");
  }
  SECTION("what is too small of theirs hardly counts") {
    figures.bypassed[0] = 350'000;
    CHECK_FALSE(value_of(recommend(figures), "enabled"));
  }
}

TEST_CASE("Few who have agreed to compression are told, and do not decide about it") {
  Figures figures = compressing();
  figures.messages = 2'500'000;
  figures.payload_bytes = 625e6;
  for (const double output : {5e6, 24.9e6}) {
    figures.output_bytes = output;
    const Recommendation advice = recommend(figures);
    CHECK(advice.settings.empty());
    REQUIRE(advice.notes.size() == 1);
    CHECK(advice.notes[0] == "only 4.0 % of the messages go to clients that have agreed to compression");
  }
  figures.compressed = figures.input_bytes = figures.output_bytes = 0;
  REQUIRE(recommend(figures).notes.size() == 1);
  CHECK(recommend(figures).notes[0].starts_with("no client has agreed"));
}

TEST_CASE("Memory that is too small is raised") {
  Figures figures = compressing();
  SECTION("histories dropped") {
    figures.sacrifices[4] = 1;
  }
  SECTION("takeover refused") {
    figures.sacrifices[5] = 1;
  }
  SECTION("full, and encoders freed") {
    figures.memory_bytes = 250e6;
    figures.sacrifices[0] = 1;
  }
  CHECK(value_of(recommend(figures), "memory") == "512MiB");
}

TEST_CASE("Encoders that were freed while there is memory mean nothing") {
  Figures figures = compressing();
  figures.sacrifices[0] = 5;
  CHECK(recommend(figures).settings.empty());
}

TEST_CASE("A level that was lowered for want of CPU is the one to have") {
  Figures figures = compressing();
  figures.level = 3;
  CHECK(value_of(recommend(figures), "level") == "3");
}

TEST_CASE("A level that a route is configured with was not lowered") {
  Figures figures = compressing();
  figures.level = figures.configured_level = 1;
  CHECK(recommend(figures).settings.empty());
}

TEST_CASE("A busy proxy that mostly compresses gets a faster level") {
  Figures figures = compressing();
  figures.cpu_seconds = 15;
  figures.compress_seconds = 9;
  CHECK(value_of(recommend(figures), "level") == "1");
  figures.compress_seconds = 3;
  CHECK_FALSE(value_of(recommend(figures), "level"));
}

TEST_CASE("Without compression it is to be observed first") {
  Figures figures = compressing();
  figures.in_force.enabled = false;
  const Recommendation advice = recommend(figures);
  CHECK(value_of(advice, "enabled") == "true");
  CHECK(value_of(advice, "mode") == "observe");
}

TEST_CASE("Every recommendation is a configuration that can be read") {
  std::vector<Figures> all{observed(kChat), observed(kChat, 100), compressing()};
  std::array<Tried, 9> trials{};
  for (const double ratio : {.99, .5}) {
    trials.fill({ratio, 1000});
    all.push_back(observed(trials));
    all.back().observed.bypassed[3] = 5000;
  }
  for (const int sacrifice : {4, 0}) {
    all.push_back(compressing());
    all.back().sacrifices.at(static_cast<std::size_t>(sacrifice)) = 1;
    all.back().level = 1;
    all.back().bypassed[3] = 60'000;
  }
  all.push_back(compressing());
  all.back().in_force.enabled = false;
  for (const Figures& figures : all) {
    const Recommendation advice = recommend(figures);
    read(tune_yaml(figures, advice));
    for (const Setting& setting : advice.settings) {
      read("compression: {" + setting.key + ": " + setting.value + "}");
    }
  }
}

}  // namespace wsproxy::cli
