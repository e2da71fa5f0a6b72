#include <catch2/catch.hpp>

#include "support/frame_bytes.hpp"
#include "support/relay_rig.hpp"

using namespace wsproxy;
using test::FrameBytes;
using test::RelayRig;

namespace {

RelayRig::Options observing() {
  RelayRig::Options options;
  options.observing = deflate::ObserverSettings{.every = 1};
  return options;
}

std::string chat(int i) {
  return R"({"type":"message","room":"lobby","user":"user-)" + std::to_string(i % 7) +
         R"(","text":"hello to everybody in here, number )" + std::to_string(i * 7919) + "\"}";
}

/// What the app says: messages of every shape.
std::vector<std::byte> everything(int seed) {
  std::vector<std::byte> all;
  const auto add = [&all](const std::vector<std::byte>& bytes) {
    all.insert(all.end(), bytes.begin(), bytes.end());
  };
  std::string large;
  while (large.size() < 200'000) large += chat(seed + static_cast<int>(large.size()));
  add(FrameBytes{}.fin().text().payload(chat(seed)).build());
  add(FrameBytes{}.fin().text().payload("").build());
  add(FrameBytes{}.text().payload(chat(seed + 1)).build());
  add(FrameBytes{}.fin().ping().payload("p").build());
  add(FrameBytes{}.fin().continuation().payload(chat(seed + 2)).build());
  add(FrameBytes{}.fin().binary().payload(large).build());
  add(FrameBytes{}.fin().binary().payload("x").build());
  return all;
}

}  // namespace

TEST_CASE("Observing changes no byte that the client gets, whatever the messages look like") {
  for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{4096}, std::size_t{7}}) {
    RelayRig plain;
    RelayRig observed{observing()};
    for (int round = 0; round < 3; ++round) {
      const auto bytes = everything(round);
      for (std::size_t at = 0; at < bytes.size(); at += piece) {
        const base::Bytes part = base::Bytes{bytes}.subspan(at, std::min(piece, bytes.size() - at));
        plain.app_says(part);
        observed.app_says(part);
      }
    }
    CHECK(plain.client_bytes() == observed.client_bytes());
    CHECK(plain.meter.messages == observed.meter.messages);
    CHECK(observed.meter.observed.size() == observed.meter.messages.size());
    CHECK(observed.meter.text_bytes == 0);
  }
}

TEST_CASE("What a trial says is what compressing would make of the message, and more text behind it helps") {
  RelayRig rig{observing()};
  for (int i = 0; i < 900; ++i) rig.app_says(FrameBytes{}.fin().text().payload(chat(i)).build());
  std::array<std::uint64_t, deflate::kTrials.size()> in{}, out{};
  for (const deflate::Observation& one : rig.meter.observed) {
    REQUIRE(one.tried);
    in.at(*one.tried) += one.size;
    out.at(*one.tried) += one.output;
  }
  for (std::size_t trial = 0; trial < in.size(); ++trial) {
    CAPTURE(trial);
    CHECK(in.at(trial) > 90 * 90);
    CHECK(out.at(trial) <= in.at(trial));
  }
  CHECK(out[4] * 2 < out[3]);
  CHECK(out[5] < out[3]);
}

TEST_CASE("One in `every` messages is tried, by chance") {
  auto options = observing();
  options.observing->every = 16;
  RelayRig rig{options};
  for (int i = 0; i < 3200; ++i) rig.app_says(FrameBytes{}.fin().text().payload(chat(i)).build());
  const auto tried = std::ranges::count_if(rig.meter.observed, [](const auto& one) { return !!one.tried; });
  CHECK(tried > 150);
  CHECK(tried < 250);
}

TEST_CASE("Nothing is tried when the CPU is short, or memory is") {
  auto options = observing();
  SECTION("the CPU") {
    RelayRig rig{options};
    while (!rig.governor().observe(1)) {
    }
    for (int i = 0; i < 100; ++i) rig.app_says(FrameBytes{}.fin().text().payload(chat(i)).build());
    CHECK(std::ranges::none_of(rig.meter.observed, [](const auto& one) { return !!one.tried; }));
  }
  SECTION("memory") {
    options.memory = 60 * 1024;
    RelayRig rig{options};
    for (int i = 0; i < 100; ++i) rig.app_says(FrameBytes{}.fin().text().payload(chat(i)).build());
    CHECK(std::ranges::none_of(rig.meter.observed, [](const auto& one) { return !!one.tried; }));
    CHECK(rig.memory_used() == 0);
  }
}

TEST_CASE("No history is made, and a connection that ends gives its text back") {
  deflate::Codecs codecs({});
  deflate::ObserverSettings settings{.every = 1};
  const auto clock = [] { return std::uint64_t{0}; };
  {
    std::vector<std::unique_ptr<deflate::ObservedConnection>> many;
    for (int i = 0; i < 40; ++i) {
      many.push_back(std::make_unique<deflate::ObservedConnection>(settings, codecs.observer));
      many.back()->on_piece(base::as_bytes(chat(1)), true, clock);
    }
    CHECK(codecs.observer.slots_in_use() == deflate::Observer::kSlots);
    CHECK(codecs.budget.used() > deflate::Observer::kSlots * 64 * 1024);
    many.back()->on_piece(base::as_bytes(chat(1)), false, clock);
    many.front()->on_piece(base::as_bytes(chat(1)), false, clock);
    CHECK(codecs.shared.value_count() == 0);
    CHECK(codecs.shared.text_count() == 0);
    CHECK(codecs.encoders.idle_count() == 0);
  }
  CHECK(codecs.observer.slots_in_use() == 0);
  codecs.end_round(0);
  codecs.end_round(0);
  CHECK(codecs.budget.used() == 0);
}

TEST_CASE("The same payload on several connections is a broadcast, on one it is not") {
  deflate::Codecs codecs({});
  deflate::ObserverSettings settings;
  const auto clock = [] { return std::uint64_t{0}; };
  deflate::ObservedConnection one{settings, codecs.observer}, other{settings, codecs.observer};
  CHECK_FALSE(one.on_piece(base::as_bytes(chat(1)), true, clock)->is_broadcast);
  CHECK_FALSE(one.on_piece(base::as_bytes(chat(1)), true, clock)->is_broadcast);
  CHECK(other.on_piece(base::as_bytes(chat(1)), true, clock)->is_broadcast);
  CHECK_FALSE(other.on_piece(base::as_bytes(chat(2)), true, clock)->is_broadcast);
}
