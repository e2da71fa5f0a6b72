#pragma once

#include <optional>
#include <variant>

#include "deflate/codecs.hpp"
#include "deflate/history.hpp"
#include "deflate/policy.hpp"
#include "deflate/reach_trial.hpp"
#include "deflate/sharing_habit.hpp"

namespace wsproxy::deflate {

/// How the messages of a connection are to be compressed: what was agreed and what the operator wants.
struct CompressorSettings {
  EngineChoice engine = EngineChoice::automatic;
  std::uint8_t level = 6;            // 1..9
  std::uint8_t window_bits = 15;     // 8..15, as agreed
  bool context_takeover = true;      // as agreed
  std::size_t history_bytes = 4096;  // how far back messages refer at most; the agreed window bounds it
  bool is_history_auto = false;      // it grows up to history_bytes while that pays
  std::size_t min_size = 32;
  bool is_adaptive = true;
};

/// The sending side of one connection's compression: what becomes of each message. It owns what may be
/// referred to, never a codec.
///
/// Static tables save nothing where nothing is repeated, as in base64: a connection whose messages show that
/// gets tables of its own for a while.
///
/// A connection begins on the worker's shared histories, where a broadcast that another one has been sent
/// already costs a look-up. One whose messages nobody else gets goes on with a history of its own, with all
/// that it has sent, and comes back when it has become a member of a feed.
class Compressor {
 public:
  /// Both outlive it.
  Compressor(const CompressorSettings& settings, Codecs& codecs);

  struct Outcome {
    Bypass bypass = Bypass::none;  // anything else: the message has to go raw
    bool is_shared = false;        // nothing was compressed: another connection's bytes serve
    base::Bytes packed;            // valid until the next call for any connection of the worker
  };
  /// A whole message. `scratch` is empty before, and may hold the outcome's bytes after.
  Outcome compress(base::Bytes text, base::ByteQueue& scratch);

  /// A message that comes in pieces, judged by a `sample` of its first `size` bytes. Returns why it has to
  /// go raw, or sets the encoder.
  Bypass begin(base::Bytes sample, std::uint64_t size, std::optional<MessageEncoder>& encoder);
  /// How it went: all of it in and out.
  void record(std::uint64_t input, std::uint64_t output) { policy_.record(input, output); }

  bool shares() const { return std::holds_alternative<SharedPlace>(past_); }

 private:
  struct Nothing {};  // without context takeover and alone

  std::uint8_t level() const;
  Method method(std::size_t size) const;
  std::size_t past_size() const;
  void record_whole(Method method, std::size_t input, std::size_t output);
  bool keeps_history() const;
  Outcome compress_shared(base::Bytes text, base::ByteQueue& scratch);
  Outcome compress_alone(base::Bytes text, base::ByteQueue& scratch);
  void judge_last(bool begins_turn);
  void note(bool in_company);
  void go_alone();
  void go_shared();
  void adapt_reach(History& history, base::Bytes text, EncoderShape shape, base::ByteQueue& scratch);
  std::size_t size_behind(base::Bytes past, base::Bytes text, EncoderShape shape, base::ByteQueue& scratch);
  History* own_history();

  const CompressorSettings& settings_;
  Codecs& codecs_;
  std::variant<SharedPlace, History, Nothing> past_;
  CompressionPolicy policy_;
  SharingHabit habit_;
  ReachTrial trial_;
  std::uint8_t without_static_ = 0;  // for so many messages more
  Sightings::Connection connection_;
  /// What is to be found out about the last message: whether others followed where nobody had had it before,
  /// and whether they took these bytes of a broadcast.
  enum class Last : std::uint8_t { settled, compressed, raw, broadcast };
  Last last_ = Last::settled;
  std::uint64_t last_hash_ = 0;
};

}  // namespace wsproxy::deflate
