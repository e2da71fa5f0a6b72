#pragma once

#include <memory>

#include "fuzz/relay_meaning_listener.hpp"
#include "fuzz/relay_meaning_payload.hpp"
#include "relay/relay.hpp"

namespace wsproxy::test {

inline std::uint32_t mask_dice = 0;

/// What a worker lends to both connections.
struct Worker {
  static std::size_t memory(std::uint8_t choice) {
    return std::array<std::size_t, 4>{std::size_t{64} << 20U, 600'000, 70'000, 0}.at(choice & 3U);
  }
  explicit Worker(std::uint8_t choice)
      : codecs({.memory = memory(choice),
                .encoders = choice >> 2U & 3U,
                .decoders = choice >> 4U & 1U,
                .seed = choice}) {
    mask_dice = 1;
  }
  static void fill(base::MutableBytes bytes) {
    for (std::byte& byte : bytes) byte = static_cast<std::byte>((mask_dice = mask_dice * 69069U + 5U) >> 24U);
  }

  deflate::Codecs codecs;
  websocket::MaskKeys mask_keys{fill};
  base::ByteQueue text;
  base::ByteQueue packed;
  relay::Workshop workshop{codecs, mask_keys, text, packed, [] { return std::uint64_t{0}; }};
};

/// How a connection is set up. Three bytes.
struct Setup {
  explicit Setup(Choices& choices) {
    const std::uint8_t server = choices.byte();
    const std::uint8_t client = choices.byte();
    const std::uint8_t rest = choices.byte();
    settings.max_message_bytes = (client & 64U) != 0 ? 70'000 : 0;
    level = std::array{6, 1, 9, 0}.at(rest & 3U);
    strategy = std::array{Z_DEFAULT_STRATEGY, Z_HUFFMAN_ONLY, Z_FIXED, Z_RLE}.at(rest >> 2U & 3U);
    if ((server & 1U) != 0) return;
    const deflate::Params params{.server_window_bits = static_cast<std::uint8_t>(15 - (server >> 1U & 7U)),
                                 .client_window_bits = static_cast<std::uint8_t>(15 - (client & 7U)),
                                 .server_no_context_takeover = (server & 16U) != 0,
                                 .client_no_context_takeover = (client & 8U) != 0};
    settings.compression = relay::CompressionSettings{
        params,
        {.engine = std::array{deflate::EngineChoice::automatic, deflate::EngineChoice::zlib,
                              deflate::EngineChoice::isal, deflate::EngineChoice::automatic}
                       .at(rest >> 4U & 3U),
         .level = static_cast<std::uint8_t>((server & 128U) != 0 ? 1 : 6),
         .window_bits = params.server_window_bits,
         .context_takeover = !params.server_no_context_takeover,
         .history_bytes = std::array<std::size_t, 4>{4096, 0, 300, 32768}.at(server >> 5U & 3U),
         .min_size = std::array<std::size_t, 4>{0, 32, 1000, 100'000}.at(client >> 4U & 3U)}};
  }

  relay::Settings settings;
  int level = 6;  // of the client's deflater
  int strategy = Z_DEFAULT_STRATEGY;
};

inline std::unique_ptr<PlainInflater> inflater_for(const relay::Settings& settings) {
  if (!settings.compression) return nullptr;
  const deflate::Params& params = settings.compression->params;
  return std::make_unique<PlainInflater>(params.server_window_bits, !params.server_no_context_takeover);
}

inline std::unique_ptr<PlainDeflater> deflater_for(const Setup& setup) {
  if (!setup.settings.compression) return nullptr;
  const deflate::Params& params = setup.settings.compression->params;
  return std::make_unique<PlainDeflater>(params.client_window_bits, !params.client_no_context_takeover,
                                         setup.level, setup.strategy);
}

/// What goes to one leg: said on the other side, relayed into a queue, heard here.
struct Direction {
  Direction(bool to_app, std::unique_ptr<PlainInflater> inflater)
      : speaker(to_app, meant), listener(to_app, std::move(inflater), meant) {}
  /// What the relay has appended since the last call.
  void hear() {
    listener.hear(base::as_text(queue.view().subspan(heard)));
    heard = queue.size();
  }
  void write_out(std::size_t size) {
    queue.consume(size);
    heard -= size;
  }
  std::deque<Meant> meant;
  Speaker speaker;
  Listener listener;
  base::ByteQueue queue;
  std::size_t heard = 0;  // of the queue
  std::size_t room = SIZE_MAX;
};

}  // namespace wsproxy::test
