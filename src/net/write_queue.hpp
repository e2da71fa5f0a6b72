#pragma once

#include "base/byte_queue.hpp"
#include "net/transport.hpp"

namespace wsproxy::net {

/// What could not be written to one transport at once. In the usual case it is empty and owns no
/// memory: what is produced goes from the worker's scratch straight to the socket (STYLE rule 7: one
/// write for all of it), and only the rest is kept here.
class WriteQueue {
 public:
  /// Where the next output belongs: behind what still waits, else into `scratch`, which is empty.
  base::ByteQueue& target(base::ByteQueue& scratch) { return waiting_.empty() ? scratch : waiting_; }

  /// Writes what target() got, `scratch` first; clears it. done when all of it is written,
  /// would_block when some waits for writability.
  IoResult flush(Transport& transport, base::ByteQueue& scratch);

  std::size_t size() const { return waiting_.size(); }
  bool empty() const { return waiting_.empty(); }
  void drop() { waiting_.release(); }

 private:
  base::ByteQueue waiting_;
};

}  // namespace wsproxy::net
