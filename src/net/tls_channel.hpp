#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "net/edge_socket.hpp"
#include "net/tls_stream.hpp"
#include "net/write_queue.hpp"

namespace wsproxy::net {

/// TLS over one socket: carries bytes between it and a TlsStream.
///
/// Memory: besides the stream's, ciphertext that the socket did not take: of at most 64 KiB, which its writer
/// keeps as well until they are written, and at most 128 KiB of answers that the peer has caused.
class TlsChannel {
 public:
  /// `preface` goes to the peer ahead of everything, as it is; `early` is what has come already.
  /// `on_step` comes when a step of the handshake that was under way elsewhere is done.
  TlsChannel(std::unique_ptr<TlsStream> stream, TlsBuffers& buffers, base::Bytes preface, base::Bytes early,
             std::function<void()> on_step);
  ~TlsChannel();
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  enum class Handshake : std::uint8_t { done, under_way, failed };
  /// As far as the bytes that are there bring it. A server's first step, which costs a signature and more
  /// than all others together, may be made by TlsBuffers::side.
  Handshake shake_hands(EdgeSocket& socket);

  /// An end without close_notify is a failure: what came may be less than what was sent.
  IoResult read_some(EdgeSocket& socket, base::MutableBytes into);
  /// Whether shake_hands() or read_some() may find something to do.
  bool may_read(const EdgeSocket& socket) const;

  /// Counts bytes as written once the socket has all of their records. After would_block the same bytes must
  /// come again, at the front of more or not: they are sealed already.
  IoResult write_some(EdgeSocket& socket, base::Bytes from);
  /// Writes what has waited for the socket; also answers to the peer that nobody has asked for here.
  void flush(EdgeSocket& socket);
  /// Whether something waits for the socket to take more.
  bool is_blocked() const { return is_blocked_; }
  /// What write_some() gets next is the last, and close_notify goes along with it.
  void announce_end() { ends_ = true; }
  /// close_notify after what was written unless it went along, then an end of file.
  void shut_down_send(EdgeSocket& socket);

  /// Nothing while a step of its handshake is made elsewhere.
  const TlsStream* stream() const { return stream_.get(); }

 private:
  struct Job;

  bool begin_job(base::Bytes arrived);
  Handshake end_step(EdgeSocket& socket, TlsStream::Step step);
  IoResult receive_handshake(EdgeSocket& socket);
  IoResult send(EdgeSocket& socket);
  IoResult give_up(EdgeSocket& socket);
  IoResult fail();

  std::unique_ptr<TlsStream> stream_;
  TlsBuffers& buffers_;
  std::function<void()> on_step_;
  std::shared_ptr<Job> job_;
  bool has_answered_ = false;  // in the handshake
  base::ByteQueue early_;
  WriteQueue waiting_;          // ciphertext
  std::size_t unreported_ = 0;  // plaintext that is sealed, of which some is in waiting_
  std::size_t handshake_bytes_ = 0;
  error_code broken_;  // the socket has lost some of waiting_
  bool is_blocked_ = false;
  bool ends_ = false;
  bool shuts_down_ = false;  // when waiting_ is empty
};

}  // namespace wsproxy::net
