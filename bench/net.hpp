#pragma once

#include <cstdint>
#include <optional>
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

/// How many bytes were taken: 0 when none can be now, nothing when the peer is gone.
using Taken = std::optional<std::size_t>;

/// Bytes that a non-blocking socket has not taken yet.
class Outbox {
 public:
  /// Sends now what the socket takes and keeps the rest in order; false when the peer is gone.
  bool send(int socket, std::string_view bytes);
  /// To be called when the socket can be written to again.
  bool flush(int socket);

  /// The same by way of write(bytes), which says what was Taken.
  template <class Write>
  bool send_by(Write&& write, std::string_view bytes) {
    if (!waiting_.empty()) {
      waiting_ += bytes;
      return true;
    }
    while (!bytes.empty()) {
      const Taken size = write(bytes);
      if (!size) return false;
      if (*size == 0) {
        waiting_ = bytes;
        return true;
      }
      bytes.remove_prefix(*size);
    }
    return true;
  }
  template <class Write>
  bool flush_by(Write&& write) {
    std::string bytes;
    bytes.swap(waiting_);
    return send_by(write, bytes);
  }

 private:
  std::string waiting_;
};

}  // namespace bench
