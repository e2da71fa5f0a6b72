#pragma once

#include <cstddef>
#include <cstdint>

#include "deflate/observer.hpp"
#include "deflate/policy.hpp"
#include "relay/leg.hpp"
#include "websocket/opcode.hpp"

namespace wsproxy::relay {

/// Is told what relaying does, once a message or a chunk of a large one, never once a byte. An
/// interface, since who counts what is no business of the protocol. Outlives the relay.
class Meter {
 public:
  virtual ~Meter() = default;
  /// A whole message went to a leg. `type` is text or binary, `compressed` how the client's wire has
  /// it, `size` its payload uncompressed.
  virtual void on_message(Leg to, websocket::Opcode type, bool compressed, std::uint64_t size) = 0;
  /// So many bytes of payload became so many on the client's wire. A large message says so in pieces.
  virtual void on_compressed(std::size_t text, std::size_t packed, std::uint64_t nanoseconds) = 0;
  /// So many bytes of payload went out as bytes that had been compressed for another connection.
  virtual void on_shared(std::size_t text, std::size_t packed) = 0;
  /// A message goes raw though compression was agreed. `nanoseconds` went into trying.
  virtual void on_bypassed(deflate::Bypass reason, std::uint64_t nanoseconds) = 0;
  /// A piece of a compressed message was inflated.
  virtual void on_inflated(std::uint64_t nanoseconds) = 0;
  /// A message that went to the client as it is was looked at, and perhaps compressed for a trial.
  virtual void on_observed(const deflate::Observation& observation) = 0;
};

}  // namespace wsproxy::relay
