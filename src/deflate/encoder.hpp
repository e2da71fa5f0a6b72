#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/byte_queue.hpp"
#include "deflate/history.hpp"
#include "deflate/live_encoder.hpp"

namespace wsproxy::deflate {

/// For zlib, of the agreed window only as much as a message of `text_size` behind `past` bytes needs, at
/// least 8 KiB: a stream's memory follows (71 KB instead of 268), and what dozens of busy connections cost is
/// fetching cold codec memory. ISA-L's streams are all of one size.
EncoderShape fitted_shape(Method method, std::uint8_t agreed_window_bits, std::size_t past,
                          std::size_t text_size);

/// What an encoder that stands takes, about.
constexpr std::size_t kEncoderBytes = 168 * 1024;
/// How many may stand on a worker, where connections left them, with so much memory for compression. Enough
/// for those that are busy at the same time to find theirs standing, as long as they fit the processor's
/// caches; fewer when they would take more than a quarter of the budget.
constexpr std::size_t standing_encoders(std::size_t memory) {
  constexpr std::size_t kMost = 128;
  return std::clamp<std::size_t>(memory / 4 / kEncoderBytes, 1, kMost);
}

class EncoderPool;

/// One message on its way through a live encoder (RFC 7692 section 7.2.1). While it exists it owns
/// that encoder; finish() gives it back to the pool. Destroyed before finish(), the encoder is
/// reset, and the history forgets, since the receiver has seen part of the message.
class MessageEncoder {
 public:
  MessageEncoder(MessageEncoder&&) noexcept;
  MessageEncoder& operator=(MessageEncoder&&) noexcept;
  ~MessageEncoder();

  /// Compresses a piece; what comes out now is appended to `out`, possibly nothing. Of all pieces at most
  /// 32 KiB are held back.
  void write(base::Bytes text, base::ByteQueue& out);
  /// Flushes; the four tail octets 00 00 ff ff are removed. An empty message gives one zero octet.
  void finish(base::ByteQueue& out);

 private:
  friend class EncoderPool;
  MessageEncoder(EncoderPool& pool, EncoderShape shape, std::unique_ptr<LiveEncoder> encoder,
                 History* history);
  EncoderPool* pool_;
  EncoderShape shape_;
  std::unique_ptr<LiveEncoder> encoder_;
  History* history_;
  std::size_t held_back_ = 0;  // at most so much text is in the encoder and not out
};

/// Names the place where an encoder of a pool stands: behind which text. 0 is nowhere.
using Stamp = std::uint64_t;

/// The live encoders of one worker. No codec object belongs to a connection: to send a message, take
/// an encoder that already stands at the connection's history, or prime one with it. Not thread-safe;
/// outlives every MessageEncoder it handed out.
class EncoderPool {
 public:
  /// Keeps at most `max_standing` encoders where a connection left them, and a few that are primed by turns.
  EncoderPool(std::size_t max_standing, Budget& budget);
  ~EncoderPool();

  /// A whole message in one step, referring back to `past`, which is looked at only when no encoder of
  /// this shape stands at `stamp`. True: the stamp now names the place behind `text`. False when the
  /// result would not be smaller than the text, or there is no memory: then nothing was appended to
  /// `out`, the stamp is 0, and the message has to go raw.
  bool compress(base::Bytes text, EncoderShape shape, base::Bytes past, Stamp& stamp, base::ByteQueue& out);
  /// The same with a connection's own history, which is null without context takeover, and changed only
  /// on success.
  bool compress(base::Bytes text, EncoderShape shape, History* history, base::ByteQueue& out);
  /// Whether compress() would need no `past`.
  bool stands_at(Stamp stamp, EncoderShape shape) const;

  /// Nobody will go on from there: the encoder may serve others.
  void leave(Stamp stamp);

  /// A message in pieces. `history` is null without context takeover; else it stays where it is until the
  /// message is finished. Nothing when there is no memory for one more encoder: the message has to go raw.
  std::optional<MessageEncoder> begin(EncoderShape shape, History* history);

  /// Frees the encoders that no message has used since the call before; returns how many. Their
  /// connections prime again when they go on.
  std::size_t retire_unused();
  /// Frees all that no message is using; returns how many.
  std::size_t retire_all();
  /// Frees those that stand for somebody, for want of memory: those of connections that have not used
  /// theirs in this round, or all. The few that are primed by turns stay. Returns how many.
  enum class Which : std::uint8_t { unused, all };
  std::size_t retire_standing(Which which);

  std::size_t idle_count() const;
  std::uint64_t primed_count() const { return primed_; }    // messages that had to prime
  std::uint64_t resumed_count() const { return resumed_; }  // messages that found their encoder standing

 private:
  friend class MessageEncoder;
  /// A place for an encoder between two messages. Its stamp and shape stand here too, so that a search
  /// touches no encoder's own memory.
  struct Slot {
    Stamp stamp = 0;
    EncoderShape shape;
    std::uint32_t round = 0;  // of retire_unused(), when it was used last
    std::unique_ptr<LiveEncoder> encoder;
  };
  static constexpr std::size_t kNone = SIZE_MAX;

  /// The slot of an encoder that stands behind `past`, which `stamp` names.
  std::size_t place(EncoderShape shape, Stamp stamp, base::Bytes past);
  std::size_t standing_slot(Stamp stamp) const;
  /// A slot whose encoder serves nobody, vacant perhaps.
  std::size_t choose(EncoderShape shape) const;
  Stamp next_stamp(const Slot& slot);
  Stamp give_back(EncoderShape shape, std::unique_ptr<LiveEncoder> encoder, bool is_standing);
  template <typename Condition>
  std::size_t retire(Condition condition);

  Budget* budget_;
  std::vector<Slot> slots_;  // for encoders that stand, and at the end for a few that are primed by turns
  std::size_t in_messages_ = 0;
  std::uint32_t round_ = 1;
  std::uint64_t next_serial_ = 1;
  std::uint64_t primed_ = 0;
  std::uint64_t resumed_ = 0;
};

}  // namespace wsproxy::deflate
