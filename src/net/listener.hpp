#pragma once

#include <functional>
#include <memory>
#include <string>

#include <sys/socket.h>

#include "net/descriptor.hpp"
#include "net/endpoint.hpp"
#include "net/kept_memory.hpp"
#include "net/types.hpp"

namespace wsproxy::net {

/// Just accepted, not yet of any loop.
struct AcceptedSocket {
  Descriptor socket;
  Protocol::endpoint peer;
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
  /// The same, but hands over first who has connected already and waits to be accepted.
  void finish();
  /// The port really bound, for an address that asked for 0.
  std::uint16_t port() const;

 private:
  void wait();
  void accept_all();
  int accept_one(Protocol::endpoint& peer, socklen_t& size);
  void take(AcceptedSocket socket);
  void pause();

  asio::basic_socket_acceptor<Protocol, Executor> acceptor_;
  Timer pause_timer_;
  KeptMemory for_wait_;
  KeptMemory for_pause_;
  std::string unix_path_;
  OnAccept on_accept_;
  OnTrouble on_trouble_;
  /// Ends with this, when a wait may be over and its call on the way.
  std::shared_ptr<const bool> life_ = std::make_shared<const bool>(true);
};

}  // namespace wsproxy::net
