#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/bytes.hpp"
#include "net/edge_socket.hpp"
#include "net/io_result.hpp"
#include "net/poller.hpp"

namespace wsproxy::net {

class TlsChannel;
class TlsStream;
class TlsBuffers;

/// What goes ahead of TLS on the same connection.
struct AheadOfTls {
  base::Bytes to_peer = {};    // not sealed
  base::Bytes from_peer = {};  // came with what was not sealed, and is the beginning of the handshake
};

/// The bytes of one connection, plain or under TLS, driven by readiness: nothing is read before the caller
/// brings a buffer, so that a waiting connection owns none.
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
  error_code connect_error() const { return socket_.connect_error(); }

  /// From now on it is TLS, for which shake_hands() comes first. The buffers outlive this.
  void begin_tls(std::unique_ptr<TlsStream> stream, TlsBuffers& buffers, const AheadOfTls& ahead = {});
  enum class Handshake : std::uint8_t { done, under_way, failed };
  /// Goes on with the handshake; wait_readable() tells when it can go on again. Handshakes cost what hundreds
  /// of messages do, so that call has the loop's turn to itself.
  Handshake shake_hands();
  /// Plain again, for a peer that speaks no TLS.
  void end_tls();
  /// Nothing when it is plain, or while a step of its handshake is made elsewhere. Valid until end_tls() and
  /// the end of this.
  const TlsStream* tls() const;

  /// Who is told from now on, of waits from now on. Also from within the OnReady of the one before.
  void set_on_ready(OnReady on_ready);

  IoResult read_some(base::MutableBytes into);
  /// After would_block the same bytes must come again, at the front of more or not.
  IoResult write_some(base::Bytes from);
  void wait_readable();
  void wait_writable();
  bool waits_readable() const { return waits_readable_; }

  /// What is written next is the last of it: TLS says so along with that.
  void announce_end();
  /// Sends an end of file after what was written; errors do not matter any more.
  void shut_down_send();
  void close();
  /// Closes what both sides have ended: TLS has a last word for that (RFC 8446 section 6.1).
  void close_in_order();
  /// Closes with a reset, as a peer sees it when the process behind a socket is gone.
  void reset();
  /// What the peer has connected to; nothing for a unix socket.
  Target local() const { return socket_.local(); }
  /// Bytes that were written and that the peer's kernel has not acknowledged; 0 where nobody can say.
  std::uint32_t unacknowledged() const { return socket_.unacknowledged(); }
  bool is_open() const { return socket_.is_open(); }

  /// False when all that has come so far was read.
  bool may_read() const;

 private:
  void on_events(Poller::Events events) override;
  void on_turn_alone() override;
  void on_handshake_step();
  void call_reader();
  /// What becomes of this and its OnReady during a call to that.
  enum class Fate : std::uint8_t { same, handed_over, destroyed };
  struct Telling;
  /// False when this is no more.
  bool tell(Ready ready);

  Poller& poller_;
  EdgeSocket socket_;
  std::unique_ptr<TlsChannel> tls_;
  OnReady on_ready_;
  bool shakes_hands_ = false;
  bool waits_readable_ = false;
  bool waits_writable_ = false;
  Fate* fate_ = nullptr;  // of the call that is under way
};

}  // namespace wsproxy::net
