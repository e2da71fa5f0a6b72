#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/byte_queue.hpp"
#include "deflate/budget.hpp"
#include "deflate/governor.hpp"
#include "deflate/live_encoder.hpp"
#include "deflate/policy.hpp"
#include "deflate/shared_history.hpp"
#include "deflate/sightings.hpp"
#include "deflate/trial.hpp"

namespace wsproxy::deflate {

/// How messages would be compressed, were they.
struct ObserverSettings {
  EngineChoice engine = EngineChoice::automatic;
  std::uint8_t window_bits = 15;  // 9..15
  std::size_t min_size = 32;
  bool is_adaptive = true;
  std::uint32_t every = 16;  // of so many of the worker's messages one is compressed, on average
};

/// What was learned from one message.
struct Observation {
  std::uint64_t size = 0;
  bool is_broadcast = false;  // another connection had it lately: it would have been shared
  std::optional<std::size_t> tried =
      std::nullopt;  // an index into kTrials; the rest means something only then
  Bypass bypass = Bypass::none;
  std::uint64_t output = 0;       // bytes; those of the message when it would go raw
  std::uint64_t nanoseconds = 0;  // compressing it, as with an encoder that stands
  std::uint64_t spent = 0;        // nanoseconds, with all that the trial took beside
};

/// Finds out what compression would save on a worker whose messages go as they are (compression.mode:
/// observe). Some connections at a time lend their text: the last of it is kept here, so that a message
/// can be compressed behind what went before it. The result is thrown away.
///
/// It touches no history and no encoder of those that do compress. What it keeps counts against the budget,
/// from which it drives nobody out: with little of it free, or with the CPU short, nothing is tried.
class Observer {
 public:
  using Clock = std::uint64_t (*)();  // monotonic nanoseconds

  static constexpr std::size_t kSlots = 16;               // connections at a time
  static constexpr std::size_t kMostText = 64 * 1024;     // of one message; a larger one is judged by so much
  static constexpr std::uint64_t kPart = 32;              // of the time at most a 32nd goes into trials
  static constexpr std::uint64_t kCredit = 50'000'000;    // ... beyond so many nanoseconds
  static constexpr std::uint64_t kIdle = 10'000'000'000;  // after so many a slot may be taken over

  /// All outlive it. `shared` hashes only.
  Observer(Budget& budget, const Governor& governor, const SharedHistories& shared);
  ~Observer();
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  /// Ends a housekeeping round: frees the encoders that no trial has used in it.
  void end_round();
  std::size_t slots_in_use() const;

 private:
  friend class ObservedConnection;
  struct Slot;
  struct Encoder {
    EncoderShape shape;
    std::unique_ptr<LiveEncoder> encoder;
    bool is_used = false;
  };

  bool spares(std::size_t bytes) const;
  Slot* take_slot(std::uint32_t connection, const ObserverSettings& settings, std::uint64_t now);
  Slot* slot_of(std::uint32_t connection, std::size_t index);
  std::uint32_t place_of(const Slot& slot) const;
  void release(Slot& slot);
  void hold(Slot& slot, base::Bytes text);
  void let_go(Slot& slot);
  bool is_broadcast(base::Bytes text, std::uint32_t connection);
  bool is_due(std::uint32_t every, std::uint64_t now);
  std::uint32_t random();
  LiveEncoder* encoder(EncoderShape shape);
  void try_out(Slot& slot, base::Bytes text, const ObserverSettings& settings, Clock clock,
               Observation& result);

  Budget& budget_;
  const Governor& governor_;
  const SharedHistories& shared_;
  std::vector<std::unique_ptr<Slot>> slots_;  // kSlots of them once somebody observes
  std::unique_ptr<Sightings> sightings_;
  std::vector<Encoder> encoders_;
  base::ByteQueue packed_;
  TrialTurns turns_;
  std::uint32_t last_connection_ = 0;
  std::uint64_t random_ = 0x9E3779B97F4A7C15ULL;
  std::uint64_t messages_due_ = 0;
  std::uint64_t next_cost_ = 1;
  std::uint64_t debt_ = 0;  // nanoseconds spent and not yet earned
  std::uint64_t earned_at_ = 0;
  bool is_wanted_ = false;  // somebody found all slots taken
};

/// One connection of which messages are observed.
class ObservedConnection {
 public:
  /// Both outlive it.
  ObservedConnection(const ObserverSettings& settings, Observer& observer);
  ~ObservedConnection();
  ObservedConnection(const ObservedConnection&) = delete;
  ObservedConnection& operator=(const ObservedConnection&) = delete;

  /// The next piece of a message's text. Says what was learned when it is the last one.
  std::optional<Observation> on_piece(base::Bytes text, bool is_last, Observer::Clock clock);

 private:
  Observer::Slot* take_slot(std::uint64_t now);
  void learn(Observer::Slot& slot, base::Bytes text, Observer::Clock clock, std::uint64_t now,
             Observation& result);

  const ObserverSettings& settings_;
  Observer& observer_;
  std::uint32_t id_;
  std::uint32_t slot_ = 0;  // its place, while that is its own
  std::uint64_t size_ = 0;  // of the message so far
  bool is_new_ = true;
};

}  // namespace wsproxy::deflate
