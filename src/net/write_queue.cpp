#include "net/write_queue.hpp"

namespace wsproxy::net {

IoResult WriteQueue::flush(Transport& transport, base::ByteQueue& scratch) {
  base::ByteQueue& queue = target(scratch);
  IoResult total;
  while (!queue.empty()) {
    const IoResult result = transport.write_some(queue.view());
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

}  // namespace wsproxy::net
