#include <catch2/catch.hpp>

#include "unit/deflate/sharing_world.hpp"

namespace wsproxy::deflate {
namespace {

using test::SharingWorld;
using test::Texts;

struct Chance {
  explicit Chance(std::uint32_t seed) : random(seed) {}
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>{0, bound - 1}(random);
  }
  std::mt19937 random;
};

TEST_CASE("Whatever connections of a worker share, each message of each is inflated to what was sent") {
  std::size_t joined = 0;
  std::size_t known = 0;
  std::size_t compressed = 0;
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    INFO("seed " << seed);
    Chance chance{seed};
    SharingWorld<Chance> world{chance, 3 + seed % 30};
    for (int i = 0; i < 600; ++i) world.step();
    world.end();
    joined += world.joined();
    known += world.known();
    compressed += world.compressed();
  }
  INFO(joined << " connections, " << known << " known, " << compressed << " compressed");
  CHECK(joined > 1200);
  CHECK(known > 10000);
  CHECK(compressed > 10000);
}

/// What each of a room's connections is sent: the room's messages, its own, and now and then much.
struct Conversation {
  struct Message {
    std::size_t to;
    std::string text;
  };
  std::size_t connections;
  std::vector<std::uint8_t> window_bits;
  std::vector<Message> messages;
};

Conversation conversation_of(std::uint32_t seed) {
  Texts texts{seed};
  Conversation conversation;
  conversation.connections = 2 + texts.below(12);
  for (std::size_t i = 0; i < conversation.connections; ++i)
    conversation.window_bits.push_back(static_cast<std::uint8_t>(texts.one_in(3) ? 8 + texts.below(8) : 15));
  const std::size_t calm = 1 + texts.below(40);
  for (int i = 0; i < 200; ++i) {
    const std::string text = texts.any();
    for (std::size_t to = 0; to < conversation.connections; ++to) conversation.messages.push_back({to, text});
    if (texts.one_in(calm))
      conversation.messages.push_back({texts.below(conversation.connections), texts.any()});
  }
  return conversation;
}

/// What the clients read, a string a connection; `workers` have the connections by turns.
std::vector<std::string> read_by_clients(const Conversation& conversation, CompressorSettings settings,
                                         std::size_t workers, std::size_t& shared) {
  std::deque<Codecs> codecs;
  for (std::size_t i = 0; i < workers; ++i)
    codecs.emplace_back(Codecs::Plan{.memory = std::size_t{8} << 20, .encoders = 8});
  std::deque<CompressorSettings> all_settings;
  std::deque<Compressor> compressors;
  std::deque<test::PeerInflater> peers;
  for (std::size_t i = 0; i < conversation.connections; ++i) {
    settings.window_bits = conversation.window_bits[i];
    compressors.emplace_back(all_settings.emplace_back(settings), codecs[i % workers]);
    peers.emplace_back(settings.window_bits, settings.context_takeover);
  }
  std::vector<std::string> read(conversation.connections);
  std::size_t number = 0;
  for (const auto& [to, text] : conversation.messages) {
    base::ByteQueue scratch;
    const auto outcome = compressors[to].compress(base::as_bytes(text), scratch);
    shared += outcome.is_shared ? 1 : 0;
    read[to] += outcome.bypass == Bypass::none ? peers[to].message(base::as_text(outcome.packed), 64) : text;
    if (++number % 500 == 0)
      for (Codecs& each : codecs) each.end_round(100);
  }
  return read;
}

TEST_CASE("With and without sharing the clients of a conversation read the same") {
  std::size_t shared = 0;
  for (std::uint32_t seed = 0; seed < 24; ++seed) {
    INFO("seed " << seed);
    const Conversation conversation = conversation_of(seed);
    const CompressorSettings settings{
        .engine = seed % 3 == 0 ? EngineChoice::zlib : EngineChoice::automatic,
        .level = static_cast<std::uint8_t>(1 + seed % 9),
        .context_takeover = seed % 5 != 0,
        .is_history_auto = seed % 2 == 0,
    };
    std::size_t none = 0;
    const auto together = read_by_clients(conversation, settings, 1, shared);
    const auto apart = read_by_clients(conversation, settings, conversation.connections, none);
    REQUIRE(together == apart);
    REQUIRE(none == 0);
    std::vector<std::string> sent(conversation.connections);
    for (const auto& [to, text] : conversation.messages) sent[to] += text;
    REQUIRE(together == sent);
  }
  CHECK(shared > 5000);
}

}  // namespace
}  // namespace wsproxy::deflate
