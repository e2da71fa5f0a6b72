// Random conversations through the relay, judged by Beast and by zlib with exactly the agreed window.
// differential [MESSAGES] [SEED] [CONVERSATION]: with its number that conversation only.
#include <array>
#include <charconv>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <vector>

#include "differential/connection.hpp"
#include "differential/payload.hpp"

namespace {

using namespace wsproxy;
using namespace wsproxy::test;

/// What has been seen, so that a run shows that it was no empty one.
struct Tally {
  std::uint64_t conversations = 0;
  std::uint64_t connections = 0;
  std::uint64_t compressing = 0;  // of the connections
  std::uint64_t messages = 0;     // one for each receiver
  std::uint64_t compressed = 0;   // of those to clients
  std::uint64_t inflated = 0;     // of those to the app
  std::uint64_t shared = 0;
  std::uint64_t bytes = 0;

  void add(const DifferentialConnection& connection) {
    ++connections;
    compressing += connection.is_compressed() ? 1 : 0;
    shared += connection.meter().shared;
    for (const CountingMeter::Message& message : connection.meter().messages) {
      ++messages;
      bytes += message.size;
      if (message.compressed) ++(message.to == relay::Leg::client ? compressed : inflated);
    }
  }
};

/// A worker with up to four connections, which are sent the same now and then, as in a room of a chat.
void converse(Dice dice, Tally& tally) {
  DifferentialWorker worker{dice};
  {
    Payloads payloads{dice};
    std::vector<std::unique_ptr<DifferentialConnection>> all;
    // Only connections that have agreed on the same share what was compressed.
    const bool is_alike = dice.one_in(2);
    const Dice alike = dice.fork();
    const auto join = [&] {
      return std::make_unique<DifferentialConnection>(worker, dice, is_alike ? alike : dice.fork());
    };
    for (std::size_t count = dice.from_to(1, 4); count > 0; --count) all.push_back(join());
    // Of a hundred turns those up to this one are for one client only. Whose messages nobody else gets goes
    // on with a history of its own.
    const std::size_t last_private = dice.of(std::array<std::size_t, 3>{40, 80, 90});
    // Long ones too, since it takes a connection some time to find out that it is alone.
    const std::size_t most_turns = dice.one_in(3) ? 400 : 60;
    for (std::size_t turns = dice.from_to(1, most_turns); turns > 0; --turns) {
      const bool is_text = !dice.one_in(3);
      DifferentialConnection& one = *dice.of(all);
      const std::size_t what = dice.below(100);
      if (what < 30) {
        one.say(relay::Leg::client, is_text, payloads.next(is_text, one.most()));
      } else if (what < last_private) {
        one.say(relay::Leg::app, is_text, payloads.next(is_text, SIZE_MAX));
      } else if (what < 90) {
        const std::string payload = payloads.next(is_text, SIZE_MAX);
        for (const auto& each : all) each->say(relay::Leg::app, is_text, payload);
      } else if (what < 94) {
        one.ping(dice.one_in(2) ? relay::Leg::client : relay::Leg::app);
      } else if (what < 97) {
        worker.codecs.end_round(dice.below(10));
      } else if (what < 98) {
        worker.codecs.encoders.retire_all();
      } else if (what < 99) {
        worker.codecs.shared.give_up(dice.one_in(2));
      } else {
        tally.add(one);
        one.close(dice.one_in(2) ? relay::Leg::client : relay::Leg::app);
        for (auto& each : all) {
          if (each.get() == &one) each = join();
        }
      }
    }
    for (const auto& each : all) {
      tally.add(*each);
      each->close(dice.one_in(2) ? relay::Leg::client : relay::Leg::app);
    }
  }
  worker.codecs.encoders.retire_all();
  worker.codecs.shared.give_up(true);
  require(worker.codecs.shared.value_count() == 0, "no shared history is left");
  ++tally.conversations;
}

std::uint64_t number(const char* text) {
  std::uint64_t value = 0;
  const std::string_view digits{text};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) throw std::invalid_argument(text);
  return value;
}

int run(std::uint64_t messages, std::uint64_t seed, std::uint64_t first, bool is_single) {
  Tally tally;
  for (std::uint64_t i = first; tally.messages < messages && (!is_single || i == first); ++i) {
    try {
      converse(Dice{seed, i}, tally);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "differential: %s, after %llu messages; again: differential 1 %llu %llu\n",
                   error.what(), static_cast<unsigned long long>(tally.messages),
                   static_cast<unsigned long long>(seed), static_cast<unsigned long long>(i));
      return 1;
    }
  }
  const auto figure = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(
      "%llu messages, %llu bytes, in %llu conversations of %llu connections, %llu of them with compression\n"
      "to clients %llu compressed and %llu with another's bytes, from clients %llu\n",
      figure(tally.messages), figure(tally.bytes), figure(tally.conversations), figure(tally.connections),
      figure(tally.compressing), figure(tally.compressed), figure(tally.shared), figure(tally.inflated));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? number(argv[1]) : 10'000, argc > 2 ? number(argv[2]) : 1,
               argc > 3 ? number(argv[3]) : 1, argc > 3);
  } catch (const std::invalid_argument& argument) {
    std::fprintf(stderr, "differential: no number: %s\n", argument.what());
    return 2;
  }
}
