#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/byte_queue.hpp"
#include "deflate/history.hpp"
#include "deflate/whole_inflater.hpp"

namespace wsproxy::deflate {

class DecoderPool;
class LiveDecoder;  // one zlib inflater; decoder.cpp

enum class DecodeStatus : std::uint8_t {
  needs_input,  // all given input is used and all its text is out
  output_full,  // max_output reached; call again, with what is left of the input, for perhaps nothing more
  message_end,  // finish() only
  corrupt,      // not a deflate stream, reaches past the window of earlier messages, or ends inside a block
};

/// One compressed message on its way in (RFC 7692 section 7.2.2). While it exists it owns a live
/// inflater of the pool, and gives it back when destroyed. Legal and handled: blocks with BFINAL set,
/// also mid-message (the window is kept), fragments that inflate to nothing, an empty message.
class MessageDecoder {
 public:
  MessageDecoder(MessageDecoder&&) noexcept;
  MessageDecoder& operator=(MessageDecoder&&) noexcept;
  ~MessageDecoder();

  /// Inflates `input`, which is advanced past what was used, appending at most `max_output` bytes
  /// (at least 1) to `out` and to the history.
  DecodeStatus write(base::Bytes& input, base::ByteQueue& out, std::size_t max_output);
  /// After the message's last byte: adds the tail 00 00 ff ff where it belongs. To be called again
  /// while it says output_full.
  DecodeStatus finish(base::ByteQueue& out, std::size_t max_output);

 private:
  friend class DecoderPool;
  MessageDecoder(DecoderPool& pool, std::unique_ptr<LiveDecoder> decoder, History* history);
  DecoderPool* pool_;
  std::unique_ptr<LiveDecoder> decoder_;
  History* history_;
};

/// The live inflaters of one worker, in the usual case a single one: a message that came whole gives
/// it back before the next begins. Not thread-safe; outlives every MessageDecoder it handed out.
class DecoderPool {
 public:
  DecoderPool(std::size_t max_idle, Budget& budget);
  ~DecoderPool();

  /// Primes an inflater with the agreed window of what the client has sent; `history` is null without
  /// context takeover, and else stays where it is until the message ends.
  MessageDecoder begin(std::uint8_t window_bits, History* history);

  /// A message of which every byte is there, by a shorter way than begin(). False when that does not work
  /// out, for whatever reason: then nothing has changed, and begin() has to judge it. Else it was a good
  /// one, its text, less than `most` bytes, is appended to `out` and to the history.
  bool inflate_whole(std::uint8_t window_bits, History* history, base::Bytes packed, base::ByteQueue& out,
                     std::size_t most);
  /// From so many compressed bytes on, some 3 KB of text, it is shorter by a quarter and more.
  static constexpr std::size_t kLeastWhole = 768;
  /// Whether this build has one.
  static bool has_whole_inflater();
  /// Frees what no message has used since the call before, but for inflaters between two messages.
  void retire_unused();

  std::size_t idle_count() const;

 private:
  friend class MessageDecoder;
  void give_back(std::unique_ptr<LiveDecoder> decoder);
  Budget* budget_;
  std::size_t max_idle_;
  std::vector<std::unique_ptr<LiveDecoder>> idle_;
  std::unique_ptr<WholeInflater> whole_inflater_;
  bool used_whole_inflater_ = false;
};

}  // namespace wsproxy::deflate
