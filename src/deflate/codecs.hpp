#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "deflate/budget.hpp"
#include "deflate/decoder.hpp"
#include "deflate/encoder.hpp"
#include "deflate/governor.hpp"
#include "deflate/history_shelf.hpp"
#include "deflate/observer.hpp"
#include "deflate/shared_history.hpp"
#include "deflate/sightings.hpp"

namespace wsproxy::deflate {

/// All that the connections of one worker compress and inflate with, and the memory for it. Not
/// thread-safe; outlives them.
///
/// When memory is short this is the order of sacrifice (DESIGN section 5): encoders that stand where a
/// connection left them, compressed bytes kept for others, the coldest histories, which shrink and then are
/// dropped, and at last the shared histories. A message never fails for it.
class Codecs final : private Budget::Relief {
 public:
  struct Plan {
    std::size_t memory = std::size_t{256} << 20;  // of compression.memory, this worker's share
    std::size_t encoders = 128;                   // that may stand where a connection left them
    std::size_t decoders = 2;                     // that wait for a message
    std::uint8_t highest_level = 9;               // for the governor
    std::uint64_t seed = 0;                       // of hashes
  };
  explicit Codecs(const Plan& plan);
  Codecs(const Codecs&) = delete;
  Codecs& operator=(const Codecs&) = delete;

  /// Ends a housekeeping round: gives back what nobody has used in it, and puts histories to sleep, at
  /// most `steps` of them now (HistoryShelf::sweep). Returns how many bytes that gave back.
  std::size_t end_round(std::size_t steps);
  /// Goes on where end_round() stopped. Nothing is left to do once it returns 0.
  std::size_t sweep_on(std::size_t steps) { return shelf.sweep_on(steps); }

  /// For what a new connection's client may refer to, which has to be kept: whatever the clients send, all of
  /// that together leaves a quarter of the budget for the rest.
  std::size_t free_for_promises() const {
    const std::size_t most = budget.limit() - budget.limit() / 4;
    return most - std::min(most, shelf.promised());
  }

  /// How many of each were given up so far for lack of memory, or of use.
  struct Sacrificed {
    std::uint64_t encoders = 0;
    std::uint64_t frames = 0;
    std::uint64_t asleep = 0;
    std::uint64_t shrunk = 0;
    std::uint64_t dropped = 0;
  };
  Sacrificed sacrificed() const;

  Budget budget;
  HistoryShelf shelf;
  EncoderPool encoders;
  DecoderPool decoders;
  SharedHistories shared;
  Sightings sightings;
  Governor governor;
  Observer observer;

 private:
  void make_room(std::size_t bytes) override;
  void relieve_shared();

  unsigned rounds_short_ = 0;
  unsigned rounds_to_wait_ = 1;
  std::uint64_t encoders_freed_ = 0;
  std::uint64_t frames_evicted_ = 0;
};

}  // namespace wsproxy::deflate
