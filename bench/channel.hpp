#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net.hpp"
#include "tls.hpp"

namespace bench {

/// What a load connects to on loopback, and how.
struct Endpoint {
  std::uint16_t port = 0;
  std::shared_ptr<const TlsClient> tls{};  // nothing: plain TCP
};

/// A client's end of a byte stream, plain or under TLS. It blocks until it is told not to. What is wrong is
/// thrown.
class Channel {
 public:
  Channel() = default;
  /// Connects; TLS begins with shake_hands().
  explicit Channel(const Endpoint& endpoint);

  int socket() const { return socket_.get(); }
  bool is_tls() const { return session_ != nullptr; }
  void become_nonblocking() { set_nonblocking(socket_.get()); }

  /// Whether bytes can be sent now; else to be called again when the socket can be read or written to.
  bool shake_hands();
  /// Sends now what the socket takes and keeps the rest for flush().
  void send(std::string_view bytes);
  void flush();
  /// How many bytes came, 0 at the end of the stream, nothing if there are none now. Plain, a buffer that is
  /// not full says the same; under TLS it is only the end of a record.
  std::optional<std::size_t> receive(std::span<char> buffer);
  /// No more is sent: close_notify, then the end of TCP's stream. What comes can be received on.
  void end_sending();

  /// What came and went on the socket, under TLS all of its bytes.
  std::uint64_t received_bytes() const;
  std::uint64_t sent_bytes() const;
  /// What TLS has agreed to; empty without.
  std::string tls_description() const { return session_ ? description(*session_) : ""; }

 private:
  Taken encrypt(std::string_view bytes);
  std::optional<std::size_t> decrypt(std::span<char> buffer);
  /// Unless the call that returned this only has to wait for the socket.
  void throw_unless_waiting(int returned) const;

  Descriptor socket_;
  TlsSession session_;  // uses the socket
  Outbox outbox_;
  std::uint64_t received_bytes_ = 0;  // plain
  std::uint64_t sent_bytes_ = 0;
};

}  // namespace bench
