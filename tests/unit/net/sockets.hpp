#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <sys/socket.h>

#include "net/descriptor.hpp"
#include "net/types.hpp"

/// Sockets that a test plays the other side with.
namespace wsproxy::net::test {

inline sockaddr_in v4(const std::string& address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  REQUIRE(::inet_pton(AF_INET, address.c_str(), &result.sin_addr) == 1);
  return result;
}

inline std::uint16_t port_of(const Descriptor& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  REQUIRE(::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

/// Has a port, and refuses until it listens.
inline Descriptor bound(const std::string& address = "127.0.0.1", std::uint16_t port = 0) {
  Descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const sockaddr_in at = v4(address, port);
  REQUIRE(::bind(socket.number(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  return socket;
}

inline Descriptor listening(const std::string& address = "127.0.0.1", std::uint16_t port = 0) {
  Descriptor socket = bound(address, port);
  REQUIRE(::listen(socket.number(), 16) == 0);
  return socket;
}

/// An address whose connections never come to be: what it asked to be kept for it is full, so that the kernel
/// drops every further SYN.
class BlackHole {
 public:
  explicit BlackHole(const std::string& address = "127.0.0.1", std::uint16_t port = 0)
      : listener_(bound(address, port)) {
    REQUIRE(::listen(listener_.number(), 0) == 0);
    const sockaddr_in at = v4(address, port_of(listener_));
    for (int i = 0; i < 4; ++i) {
      Descriptor& client = fillers_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      REQUIRE((::connect(client.number(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 ||
               errno == EINPROGRESS));
    }
  }
  std::uint16_t port() const { return port_of(listener_); }

 private:
  Descriptor listener_;
  std::vector<Descriptor> fillers_;
};

/// Runs the loop until it is so. In real time, which events of the kernel and of other threads take.
template <typename Condition>
bool run_until(IoContext& io, Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!condition() && std::chrono::steady_clock::now() < end)
    io.run_one_for(std::chrono::milliseconds{20});
  return condition();
}

}  // namespace wsproxy::net::test
