#include "differential/setup.hpp"

#include <array>

#include "deflate/negotiation.hpp"
#include "websocket/handshake.hpp"

namespace wsproxy::test {
namespace {

constexpr std::array<std::size_t, 4> kHistories{4096, 32768, 300, 0};
constexpr std::array<std::size_t, 4> kRooms{SIZE_MAX, 70'000, 4096, 1};
constexpr std::array<std::size_t, 4> kPieces{SIZE_MAX, 3000, 100, 7};
constexpr std::array<std::size_t, 4> kMinSizes{0, 32, 32, 1000};
constexpr std::array<int, 5> kLevels{1, 6, 6, 9, 0};
constexpr std::array kStrategies{Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE};

deflate::Params random_params(Dice& dice) {
  return {.server_window_bits = static_cast<std::uint8_t>(dice.from_to(8, 15)),
          .client_window_bits = static_cast<std::uint8_t>(dice.from_to(8, 15)),
          .server_no_context_takeover = dice.one_in(4),
          .client_no_context_takeover = dice.one_in(4)};
}

BeastEnd::Offer random_offer(Dice& dice) {
  return {.is_deflate_offered = !dice.one_in(12),
          .server_window_bits = static_cast<int>(dice.from_to(9, 15)),
          .client_window_bits = static_cast<int>(dice.from_to(9, 15)),
          .server_no_context_takeover = dice.one_in(5),
          .client_no_context_takeover = dice.one_in(5),
          .level = static_cast<int>(dice.below(10)),
          .memory_level = static_cast<int>(dice.from_to(1, 9)),
          .write_buffer_bytes = dice.of(std::array<std::size_t, 3>{4096, 64, 100'000})};
}

}  // namespace

DifferentialSetup::DifferentialSetup(Dice& dice) {
  if (dice.one_in(3)) {
    settings.compression = relay::CompressionSettings{.params = random_params(dice), .sending = {}};
    const deflate::Params& params = settings.compression->params;
    deflater = std::make_unique<PlainDeflater>(params.client_window_bits, !params.client_no_context_takeover,
                                               dice.of(kLevels), dice.of(kStrategies));
  } else {
    shake_hands(dice);
  }
  if (dice.one_in(4)) {
    most = 70'000;
    settings.max_message_bytes = most;
  }
  if (!dice.one_in(2)) room = dice.of(kRooms);
  if (!dice.one_in(2)) longest_piece = dice.of(kPieces);
  settings.validate_utf8 = !dice.one_in(5);
  if (!settings.compression) return;
  deflate::CompressorSettings& sending = settings.compression->sending;
  sending.engine = static_cast<deflate::EngineChoice>(dice.below(3));
  sending.level = static_cast<std::uint8_t>(dice.from_to(1, 9));
  sending.window_bits = settings.compression->params.server_window_bits;
  sending.context_takeover = !settings.compression->params.server_no_context_takeover;
  sending.history_bytes = dice.of(kHistories);
  sending.is_history_auto = dice.one_in(3);
  sending.min_size = dice.of(kMinSizes);
  sending.is_adaptive = !dice.one_in(3);
}

/// Beast offers, the proxy's own negotiation answers, and Beast holds that against what it offered.
void DifferentialSetup::shake_hands(Dice& dice) {
  client = std::make_unique<BeastEnd>(random_offer(dice));
  const deflate::NegotiationPolicy policy{
      .server_window_bits = static_cast<std::uint8_t>(dice.from_to(9, 15)),
      .client_window_bits = static_cast<std::uint8_t>(dice.from_to(9, 15)),
      .server_context_takeover = !dice.one_in(5),
      .client_context_takeover = !dice.one_in(5)};
  const auto agreed = deflate::negotiate(client->request_field("Sec-WebSocket-Extensions"), policy);
  std::string response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  response +=
      "Sec-WebSocket-Accept: " + websocket::accept_for(client->request_field("Sec-WebSocket-Key")) + "\r\n";
  if (!agreed.answer.empty()) response += "Sec-WebSocket-Extensions: " + agreed.answer + "\r\n";
  client->answer(response + "\r\n");
  if (agreed.result == deflate::NegotiationResult::accepted) {
    settings.compression = relay::CompressionSettings{.params = agreed.params, .sending = {}};
  }
}

std::unique_ptr<PlainInflater> DifferentialSetup::inflater() const {
  if (!settings.compression) return nullptr;
  const deflate::Params& params = settings.compression->params;
  return std::make_unique<PlainInflater>(params.server_window_bits, !params.server_no_context_takeover,
                                         PlainInflater::ByteByByte::all);
}

}  // namespace wsproxy::test
