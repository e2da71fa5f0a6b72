#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/endpoint.hpp"
#include "net/types.hpp"

namespace wsproxy::net {

/// A descriptor just accepted, not yet of any loop; owned by whoever holds it.
class AcceptedSocket {
 public:
  AcceptedSocket(int descriptor, Protocol::endpoint peer) : descriptor_(descriptor), peer_(peer) {}
  AcceptedSocket(AcceptedSocket&& other) noexcept;
  AcceptedSocket& operator=(AcceptedSocket&&) = delete;
  ~AcceptedSocket();
  const Protocol::endpoint& peer() const { return peer_; }
  /// Moves it into a worker's loop; closed on failure.
  Socket adopt(IoContext& io, error_code& error) &&;

 private:
  int descriptor_;
  Protocol::endpoint peer_;
};

/// Listens on one address and hands over what it accepts. Out of descriptors it pauses for 100 ms
/// instead of spinning, and says so through `on_trouble`. A unix path is created with mode 0660,
/// replaced when nobody listens on it, and removed at the end.
class Listener {
 public:
  using OnAccept = std::function<void(AcceptedSocket)>;
  using OnTrouble = std::function<void(const error_code&)>;

  /// Binds and listens; throws std::system_error with the address in its text.
  Listener(IoContext& io, const Target& target, OnAccept on_accept, OnTrouble on_trouble);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void start();
  void stop();
  /// The port really bound, for an address that asked for 0.
  std::uint16_t port() const;

 private:
  void wait();
  void accept_all();
  void pause();

  asio::basic_socket_acceptor<Protocol, Executor> acceptor_;
  Timer pause_timer_;
  std::string unix_path_;
  OnAccept on_accept_;
  OnTrouble on_trouble_;
};

}  // namespace wsproxy::net
