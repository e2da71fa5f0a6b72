#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/byte_queue.hpp"
#include "deflate/history.hpp"

namespace wsproxy::deflate {

/// How a connection wants its messages compressed.
struct EncoderShape {
  std::uint8_t level = 6;         // 1..9
  std::uint8_t window_bits = 15;  // 8..15 as negotiated; 8 is honoured by never reaching past 250 bytes
  bool operator==(const EncoderShape&) const = default;
};

/// The shape for a message of `text_size` behind a history of `reach` bytes: of the agreed window only
/// as much as they need, at least 8 KiB. A stream's memory follows (71 KB instead of 268), and what
/// dozens of busy connections cost is fetching cold codec memory.
EncoderShape fitted_shape(std::uint8_t level, std::uint8_t agreed_window_bits, std::size_t reach,
                          std::size_t text_size);

class EncoderPool;
class LiveEncoder;  // one zlib stream and where it stands; encoder.cpp

/// One message on its way through a live encoder (RFC 7692 section 7.2.1). While it exists it owns
/// that encoder; finish() gives it back to the pool. Destroyed before finish(), the encoder is
/// reset, and the history forgets, since the receiver has seen part of the message.
class MessageEncoder {
 public:
  MessageEncoder(MessageEncoder&&) noexcept;
  MessageEncoder& operator=(MessageEncoder&&) noexcept;
  ~MessageEncoder();

  /// Compresses a piece; what comes out now is appended to `out`, possibly nothing.
  void write(base::Bytes text, base::ByteQueue& out);
  /// Flushes; the four tail octets 00 00 ff ff are removed. An empty message gives one zero octet.
  void finish(base::ByteQueue& out);

 private:
  friend class EncoderPool;
  MessageEncoder(EncoderPool& pool, std::unique_ptr<LiveEncoder> encoder, History* history);
  EncoderPool* pool_;
  std::unique_ptr<LiveEncoder> encoder_;
  History* history_;
  bool wrote_ = false;
};

/// The live encoders of one worker. No codec object belongs to a connection: to send a message, take
/// an encoder that already stands at the connection's history, or prime one with it. Not thread-safe;
/// outlives every MessageEncoder it handed out.
class EncoderPool {
 public:
  /// Keeps at most `max_idle` encoders between messages.
  EncoderPool(std::size_t max_idle, Budget& budget);
  ~EncoderPool();

  /// `history` is null without context takeover; else it stays where it is until the message is finished.
  MessageEncoder begin(EncoderShape shape, History* history);

  /// A whole message in one step. False when the result would not be smaller than the text: then
  /// nothing was appended to `out`, the history is unchanged, and the message has to go raw.
  bool compress(base::Bytes text, EncoderShape shape, History* history, base::ByteQueue& out);

  /// Frees the encoders that no message has used since the call before; returns how many. Their
  /// connections prime again when they go on.
  std::size_t retire_unused();

  std::size_t idle_count() const;
  std::uint64_t primed_count() const { return primed_; }    // messages that had to prime
  std::uint64_t resumed_count() const { return resumed_; }  // messages that found their encoder standing

 private:
  friend class MessageEncoder;
  /// An encoder between two messages; its stamp and shape stand here too, so that a search touches no
  /// encoder's own memory.
  struct Idle {
    std::uint64_t stamp;
    EncoderShape shape;
    std::uint64_t round;  // of retire_unused(), when it was used last
    std::unique_ptr<LiveEncoder> encoder;
  };
  static constexpr std::size_t kNone = SIZE_MAX;

  std::size_t choose(EncoderShape shape, std::uint64_t stamp) const;
  std::unique_ptr<LiveEncoder> take(EncoderShape shape, const History* history);
  void give_back(std::unique_ptr<LiveEncoder> encoder, History* history);
  Budget* budget_;
  std::size_t max_idle_;
  std::vector<Idle> idle_;  // coldest first
  std::uint64_t round_ = 1;
  std::uint64_t next_stamp_ = 1;
  std::uint64_t primed_ = 0;
  std::uint64_t resumed_ = 0;
};

}  // namespace wsproxy::deflate
