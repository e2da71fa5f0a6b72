#pragma once

#include <cstddef>
#include <cstdint>

#include "deflate/budget.hpp"
#include "deflate/decoder.hpp"
#include "deflate/encoder.hpp"
#include "deflate/governor.hpp"
#include "deflate/shared_history.hpp"
#include "deflate/sightings.hpp"

namespace wsproxy::deflate {

/// All that the connections of one worker compress and inflate with, and the memory for it. Not
/// thread-safe; outlives them.
struct Codecs {
  struct Plan {
    std::size_t memory = std::size_t{256} << 20;  // of compression.memory, this worker's share
    std::size_t encoders = 128;                   // that may stand where a connection left them
    std::size_t decoders = 2;                     // that wait for a message
    std::uint8_t highest_level = 9;               // for the governor
    std::uint64_t seed = 0;                       // of hashes
  };
  explicit Codecs(const Plan& plan)
      : budget(plan.memory),
        encoders(plan.encoders, budget),
        decoders(plan.decoders, budget),
        shared(encoders, budget, plan.seed),
        governor(plan.highest_level) {}

  Budget budget;
  EncoderPool encoders;
  DecoderPool decoders;
  SharedHistories shared;
  Sightings sightings;
  Governor governor;
};

}  // namespace wsproxy::deflate
