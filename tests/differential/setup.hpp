#pragma once

#include <memory>

#include "differential/beast_end.hpp"
#include "differential/dice.hpp"
#include "fuzz/relay_meaning_peers.hpp"
#include "relay/settings.hpp"

namespace wsproxy::test {

/// What the dice choose for a connection: its client, what was agreed with it, the operator's wishes, and how
/// the wires are cut.
struct DifferentialSetup {
  explicit DifferentialSetup(Dice& dice);

  relay::Settings settings;
  std::size_t most = SIZE_MAX;              // that the client may say at once
  std::size_t room = SIZE_MAX;              // of either queue
  std::size_t longest_piece = SIZE_MAX;     // of the wires
  std::unique_ptr<BeastEnd> client;         // has had its 101
  std::unique_ptr<PlainDeflater> deflater;  // without one: a client with parameters that Beast has not

  /// Of exactly the agreed window; null when no compression was agreed.
  std::unique_ptr<PlainInflater> inflater() const;

 private:
  void shake_hands(Dice& dice);
};

}  // namespace wsproxy::test
