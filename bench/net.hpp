#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace bench {

/// A descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor();
  int get() const { return value_; }

 private:
  int value_ = -1;
};

/// Blocking, without Nagle's delay; throws.
Descriptor connect_to(std::uint16_t port);
/// Non-blocking; port 0 takes a free one. Throws.
Descriptor listen_on(std::uint16_t port);
std::uint16_t port_of(int socket);
void set_nonblocking(int socket);
void disable_nagle(int socket);
/// For blocking sockets; throws.
void send_all(int socket, std::string_view bytes);

/// Bytes that a non-blocking socket has not taken yet.
class Outbox {
 public:
  /// Sends now what the socket takes and keeps the rest in order; false when the peer is gone.
  bool send(int socket, std::string_view bytes);
  /// To be called when the socket can be written to again.
  bool flush(int socket);

 private:
  std::string waiting_;
};

}  // namespace bench
