#pragma once

#include <functional>

#include "base/bytes.hpp"
#include "net/descriptor.hpp"
#include "net/endpoint.hpp"
#include "net/poller.hpp"
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
/// One worker's thread only; the poller outlives it.
class Transport final : private Poller::Watch {
 public:
  enum class Ready : std::uint8_t { reading, writing };
  /// Comes once for each wait_*(), never from within it, and not after close(). May close the transport,
  /// hand it over and destroy it.
  using OnReady = std::function<void(Ready)>;

  /// Takes a connected socket. A descriptor that cannot be watched shows as one that failed.
  Transport(Poller& poller, Descriptor socket, OnReady on_ready = {});
  /// Takes one whose connect() is under way: it is writable when that has ended, see connect_error().
  struct Connecting {};
  Transport(Poller& poller, Descriptor socket, Connecting);
  ~Transport() override;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// How connect() has ended.
  error_code connect_error() const;

  /// Who is told from now on, of waits from now on. Also from within the OnReady of the one before.
  void set_on_ready(OnReady on_ready);

  IoResult read_some(base::MutableBytes into);
  IoResult write_some(base::Bytes from);
  void wait_readable();
  void wait_writable();
  bool waits_readable() const { return waits_readable_; }

  /// Sends an end of file after what was written; errors do not matter any more.
  void shut_down_send();
  void close();
  /// Closes with a reset, as a peer sees it when the process behind a socket is gone.
  void reset();
  /// What the peer has connected to; nothing for a unix socket.
  Target local() const;
  bool is_open() const { return socket_.is_open(); }

 private:
  void on_events(Poller::Events events) override;
  /// What becomes of this and its OnReady during a call to that.
  enum class Fate : std::uint8_t { same, handed_over, destroyed };
  struct Telling;
  /// False when this is no more.
  bool tell(Ready ready);

  Poller& poller_;
  Descriptor socket_;
  OnReady on_ready_;
  // What the kernel will not report again (edge-triggered), until a call has shown otherwise.
  bool may_read_ = false;
  bool may_write_ = true;
  bool has_hung_up_ = false;  // an end of file or an error stands behind what can be read
  bool waits_readable_ = false;
  bool waits_writable_ = false;
  Fate* fate_ = nullptr;  // of the call that is under way
};

}  // namespace wsproxy::net
