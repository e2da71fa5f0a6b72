#pragma once

#include <utility>

#include "base/bytes.hpp"
#include "net/types.hpp"

namespace wsproxy::net {

enum class IoStatus : std::uint8_t {
  done,         // `bytes` were moved, at least one
  would_block,  // wait for readiness and try again
  end_of_file,  // reading only
  failed,       // `error` says why; the transport is dead
};

struct IoResult {
  IoStatus status = IoStatus::done;
  std::size_t bytes = 0;
  error_code error;
};

/// The bytes of one socket, driven by readiness: nothing is read before the caller brings a buffer,
/// so that a waiting connection owns none. TLS will be a second kind behind the same calls.
/// One worker's thread only. Waiting handlers are called with operation_aborted after close().
class Transport {
 public:
  explicit Transport(Socket socket);
  Transport(Transport&&) = default;
  Transport& operator=(Transport&&) = default;

  IoResult read_some(base::MutableBytes into);
  IoResult write_some(base::Bytes from);

  template <typename Handler>
  void wait_readable(Handler handler) {
    socket_.async_wait(Socket::wait_read, std::move(handler));
  }
  template <typename Handler>
  void wait_writable(Handler handler) {
    socket_.async_wait(Socket::wait_write, std::move(handler));
  }

  /// Sends an end of file after what was written; errors do not matter any more.
  void shut_down_send();
  void close();
  /// Closes with a reset, as a peer sees it when the process behind a socket is gone.
  void reset();
  bool is_open() const { return socket_.is_open(); }

 private:
  Socket socket_;
};

}  // namespace wsproxy::net
