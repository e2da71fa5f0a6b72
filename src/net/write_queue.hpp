#pragma once

#include "base/byte_queue.hpp"
#include "net/io_result.hpp"

namespace wsproxy::net {

/// What could not be written to one transport at once. In the usual case it is empty and owns no
/// memory: what is produced goes from the worker's scratch straight to the socket (STYLE rule 7: one
/// write for all of it), and only the rest is kept here.
class WriteQueue {
 public:
  /// Where the next output belongs: behind what still waits, else into `scratch`, which is empty.
  base::ByteQueue& target(base::ByteQueue& scratch) { return waiting_.empty() ? scratch : waiting_; }

  /// Writes what target() got to a transport or a socket, and clears `scratch`. done when all of it is
  /// written, would_block when some waits for writability.
  template <class Sink>
  IoResult flush(Sink& sink, base::ByteQueue& scratch) {
    base::ByteQueue& queue = target(scratch);
    IoResult total;
    while (!queue.empty()) {
      const IoResult result = sink.write_some(queue.view());
      if (result.status != IoStatus::done) {
        total.status = result.status;
        total.error = result.error;
        break;
      }
      total.bytes += result.bytes;
      queue.consume(result.bytes);
    }
    if (&queue == &scratch) {
      if (total.status == IoStatus::would_block) waiting_.append(scratch.view());
      scratch.clear();
    } else if (waiting_.empty()) {
      waiting_.release();
    }
    return total;
  }

  /// Puts bytes behind what waits, or makes them wait.
  void keep(base::Bytes bytes) { waiting_.append(bytes); }

  std::size_t size() const { return waiting_.size(); }
  bool empty() const { return waiting_.empty(); }
  void drop() { waiting_.release(); }

 private:
  base::ByteQueue waiting_;
};

}  // namespace wsproxy::net
