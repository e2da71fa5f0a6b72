#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "net/descriptor.hpp"
#include "net/endpoint.hpp"
#include "net/io_result.hpp"
#include "net/poller.hpp"

namespace wsproxy::net {

/// A non-blocking stream socket and what an edge-triggered epoll has told of it, which it will not tell
/// again.
class EdgeSocket {
 public:
  explicit EdgeSocket(Descriptor socket);

  int number() const { return socket_.number(); }
  bool is_open() const { return socket_.is_open(); }

  IoResult read_some(base::MutableBytes into);
  /// Once it has failed, the connection ends in both directions: what came before can be read, then the
  /// failure. But what a peer says that only listens no more (EPIPE) is read to its end.
  IoResult write_some(base::Bytes from);

  /// What the kernel has reported.
  void note(Poller::Events events);
  /// A call may find something to do, or the end.
  bool may_read() const { return may_read_; }
  bool may_write() const { return may_write_; }
  bool has_hung_up() const { return has_hung_up_; }
  /// Its connect() is under way: it is writable when that has ended.
  void note_connecting() { may_write_ = false; }
  /// It cannot be watched or written to: every call is tried, and finds the end, which fails as `why` says.
  void give_up(const error_code& why);

  /// How connect() has ended.
  error_code connect_error() const;
  /// What the peer has connected to; nothing for a unix socket.
  Target local() const;
  /// Bytes that were written and that the peer's kernel has not acknowledged; 0 where nobody can say.
  std::uint32_t unacknowledged() const;

  void shut_down_send();
  void reset_on_close();
  void close() { socket_.close(); }

 private:
  Descriptor socket_;
  bool may_read_ = false;
  bool may_write_ = true;
  bool has_hung_up_ = false;  // an end of file or an error stands behind what can be read
  int why_given_up_ = 0;      // an errno
};

}  // namespace wsproxy::net
