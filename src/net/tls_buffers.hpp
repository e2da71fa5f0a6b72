#pragma once

#include <cstddef>
#include <vector>

#include "base/byte_queue.hpp"

namespace wsproxy::net {

/// Ciphertext on its way through a worker, between sockets and OpenSSL: lent to each of its connections for
/// the length of one call, so that none owns a buffer. One thread.
struct TlsBuffers {
  /// With a record that had begun before, what is opened of it fits into the worker's read buffer.
  static constexpr std::size_t kArrived = std::size_t{96} << 10;

  std::vector<std::byte> arrived = std::vector<std::byte>(kArrived);
  base::ByteQueue sealed;  // empty between two calls
};

}  // namespace wsproxy::net
