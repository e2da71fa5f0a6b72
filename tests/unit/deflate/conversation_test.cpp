// Long random conversations between our halves and a peer that is nothing but zlib.

#include <array>
#include <memory>
#include <optional>

#include <catch2/catch.hpp>

#include "deflate/decoder.hpp"
#include "deflate/encoder.hpp"
#include "unit/deflate/plain_zlib.hpp"

namespace wsproxy::deflate {
namespace {

using test::PeerDeflater;
using test::PeerInflater;
using test::text_of;
using test::Texts;

/// One connection in the direction to the client: our encoder, zlib's inflater.
class Outgoing {
 public:
  Outgoing(Texts& texts, Budget& budget)
      : texts_(texts),
        shape_{any_method(texts), static_cast<std::uint8_t>(8 + texts.below(8))},
        takeover_(!texts.one_in(4)),
        // A sender may keep less than the window, never more.
        history_((std::size_t{1} << shape_.window_bits) >> texts.below(4), History::Keep::may_forget, budget),
        peer_(shape_.window_bits, takeover_) {}

  void send(EncoderPool& pool) {
    switch (texts_.below(12)) {
      case 0:
        return history_.forget();
      case 1:
        return send_pieces(pool);
      default:
        return send_whole(pool);
    }
  }

 private:
  static Method any_method(Texts& texts) {
    if (has_isal() && texts.one_in(2)) return {Engine::isal, static_cast<std::uint8_t>(texts.below(4))};
    return {Engine::zlib, static_cast<std::uint8_t>(1 + texts.below(9))};
  }
  History* history() { return takeover_ ? &history_ : nullptr; }

  void send_whole(EncoderPool& pool) {
    const auto text = texts_.any();
    base::ByteQueue out;
    if (!pool.compress(base::as_bytes(text), shape_, history(), out)) return;  // goes raw
    REQUIRE(out.size() < text.size());
    REQUIRE(peer_.message(base::as_text(out.view())) == text);
  }

  void send_pieces(EncoderPool& pool) {
    auto encoder = pool.begin(shape_, history());
    if (!encoder) return;  // no memory: goes raw
    base::ByteQueue out;
    std::string text;
    for (std::size_t pieces = texts_.below(4); pieces > 0; --pieces) {
      const auto piece = texts_.any();
      encoder->write(base::as_bytes(piece), out);
      text += piece;
    }
    encoder->finish(out);
    REQUIRE(peer_.message(base::as_text(out.view())) == text);
  }

  Texts& texts_;
  EncoderShape shape_;
  bool takeover_;
  History history_;
  PeerInflater peer_;
};

TEST_CASE("Whatever several connections send through one pool, each client's inflater understands its own") {
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    INFO("seed " << seed);
    Texts texts{seed};
    Budget budget{texts.one_in(3) ? std::size_t{100'000} : std::size_t{64} << 20};
    {
      EncoderPool pool{texts.below(6), budget};
      std::vector<std::unique_ptr<Outgoing>> connections;
      for (int i = 0; i < 5; ++i) connections.push_back(std::make_unique<Outgoing>(texts, budget));
      for (int i = 0; i < 60; ++i) {
        auto& connection = *connections[texts.below(connections.size())];
        for (std::size_t burst = 1 + texts.below(3); burst > 0; --burst) connection.send(pool);
      }
    }
    REQUIRE(budget.used() == 0);
  }
}

/// One connection in the direction from the client: zlib's compressor, our decoder.
class Incoming {
 public:
  Incoming(Texts& texts, Budget& budget)
      : texts_(texts),
        window_bits_(static_cast<std::uint8_t>(8 + texts.below(8))),
        takeover_(!texts.one_in(4)),
        history_(std::size_t{1} << window_bits_, History::Keep::must_keep, budget),
        // With its window of 9 bits, zlib reaches back 250 bytes only.
        peer_(1 + static_cast<int>(texts.below(9)), std::max<int>(9, window_bits_),
              1 + static_cast<int>(texts.below(9)), takeover_) {}

  /// Begins a message, or feeds the next bytes of the one under way.
  void receive(DecoderPool& pool) {
    if (!decoder_) {
      write_message();
      decoder_.emplace(pool.begin(window_bits_, takeover_ ? &history_ : nullptr));
    }
    const auto size = std::min(payload_.size() - used_, texts_.below(payload_.size() + 1));
    auto input = base::as_bytes(payload_).subspan(used_, size);
    used_ += size;
    drain([&](std::size_t room) { return decoder_->write(input, out_, room); }, DecodeStatus::needs_input);
    REQUIRE(input.empty());
    if (used_ < payload_.size()) return;
    drain([&](std::size_t room) { return decoder_->finish(out_, room); }, DecodeStatus::message_end);
    REQUIRE(text_of(out_) == text_);
    decoder_.reset();
  }

 private:
  void write_message() {
    static constexpr std::array kFlushes{Z_NO_FLUSH,   Z_NO_FLUSH,   Z_PARTIAL_FLUSH,
                                         Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_BLOCK};
    static constexpr std::array kEnds{PeerDeflater::End::stripped, PeerDeflater::End::tail_left_in,
                                      PeerDeflater::End::final_block,
                                      PeerDeflater::End::final_block_and_zero_octet};
    text_.clear();
    used_ = 0;
    out_.clear();
    peer_.begin();
    for (std::size_t pieces = texts_.below(4); pieces > 0; --pieces) {
      const auto piece = texts_.any();
      peer_.write(piece, kFlushes[texts_.below(kFlushes.size())]);
      if (texts_.one_in(4)) peer_.end_final_block();
      text_ += piece;
    }
    payload_ = peer_.finish(kEnds[texts_.one_in(2) ? 0 : texts_.below(kEnds.size())]);
  }

  template <typename Call>
  void drain(Call call, DecodeStatus expected) {
    auto status = DecodeStatus::output_full;
    while (status == DecodeStatus::output_full) {
      const std::size_t room = texts_.one_in(3) ? 1 + texts_.below(10) : 1 + texts_.below(30000);
      const std::size_t before = out_.size();
      status = call(room);
      REQUIRE(out_.size() - before <= room);
    }
    REQUIRE(status == expected);
  }

  Texts& texts_;
  std::uint8_t window_bits_;
  bool takeover_;
  History history_;
  PeerDeflater peer_;
  std::string text_;
  std::string payload_;
  std::size_t used_ = 0;
  base::ByteQueue out_;
  std::optional<MessageDecoder> decoder_;
};

TEST_CASE("Whatever several clients send, in whatever cuts, one pool inflates it to what they meant") {
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    INFO("seed " << seed);
    Texts texts{seed};
    Budget budget{std::size_t{64} << 20};
    {
      DecoderPool pool{texts.below(4), budget};
      std::vector<std::unique_ptr<Incoming>> connections;
      for (int i = 0; i < 5; ++i) connections.push_back(std::make_unique<Incoming>(texts, budget));
      for (int i = 0; i < 300; ++i) connections[texts.below(connections.size())]->receive(pool);
    }
    REQUIRE(budget.used() == 0);
  }
}

}  // namespace
}  // namespace wsproxy::deflate
