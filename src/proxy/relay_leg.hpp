#pragma once

#include "base/byte_queue.hpp"
#include "net/transport.hpp"
#include "proxy/phase.hpp"
#include "proxy/turn_share.hpp"
#include "proxy/wire.hpp"

namespace wsproxy::proxy {

class Session;

/// One leg of a connection that is being relayed: what came on it and waits, what is written to it, and
/// how far its socket has come to its end.
class RelayLeg {
 public:
  RelayLeg(Session& session, Leg leg);

  /// Where the next output for it belongs, until flush().
  base::ByteQueue& target() { return wire_.queue.target(scratch_); }
  struct Flushed {
    std::size_t bytes;
    bool had_waited;  // some of it had found no room before
  };
  /// Writes what is for it, or drops it when nobody will take it. `ends`: nothing will follow.
  Flushed flush(bool ends);
  /// How much waits for its peer to take it.
  std::size_t queued() const { return wire_.queue.size(); }
  /// Whether it is open and nothing waits that could still be written.
  bool is_flushed() const { return is_open() && (is_deaf_ || queued() == 0); }

  bool is_open() const { return wire_.is_open(); }
  /// Whether it is open and nobody waits yet for what its peer sends.
  bool may_read() const { return is_open() && !has_ended && !wire_.transport->waits_readable(); }
  /// An end of file after what was written; once.
  void shut_down();
  /// Whether it gets nothing more of what the other leg sends.
  bool takes_no_more() const { return is_shut_ || is_deaf_; }
  /// `in_order`: its peer has ended it too.
  void close(bool in_order);

  base::ByteQueue unread;     // came, but may not be taken yet
  bool has_ended = false;     // its peer will send no more
  bool is_paused = false;     // not read, since the other leg has no room
  bool fault_logged = false;  // of its peer
  TurnShare share;            // of what came on it, how much is taken in a turn of the loop

 private:
  Session& session_;
  Leg leg_;
  Wire& wire_;                // the session's
  base::ByteQueue& scratch_;  // the worker's
  bool is_deaf_ = false;      // writing to it failed: what is for it is dropped
  bool is_shut_ = false;
};

}  // namespace wsproxy::proxy
