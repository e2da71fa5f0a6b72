#pragma once

#include <cstddef>
#include <vector>

#include "proxy/peer_tables.hpp"
#include "proxy/session.hpp"

namespace wsproxy::proxy {

/// Looks at all connections of a worker, some at a time so that no message waits for the rest, for its
/// PeerTables. Who comes or leaves meanwhile is not in them.
class PeerSurvey {
 public:
  /// The registry outlives this, as does the context of its sessions.
  explicit PeerSurvey(const SessionRegistry& sessions) : sessions_(sessions), left_(sessions.size()) {}

  /// Looks at up to `most` more. False when there are none left.
  bool go_on(std::size_t most);
  PeerTables tables() const;

 private:
  struct Entry {
    PeerWeight weight;
    SessionPtr session;
  };
  using Entries = std::vector<Entry>;
  using Order = bool (*)(const PeerWeight&, const PeerWeight&);
  static void consider(Entries& entries, const PeerWeight& weight, Session& session, Order comes_before);

  const SessionRegistry& sessions_;
  std::size_t left_;  // places below this one have not been looked at
  Entries largest_;
  Entries slowest_;
};

}  // namespace wsproxy::proxy
