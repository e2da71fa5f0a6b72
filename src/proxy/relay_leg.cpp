#include "proxy/relay_leg.hpp"

#include <utility>

#include "proxy/session.hpp"

namespace wsproxy::proxy {

Wire& RelayLeg::wire() const {
  return session_.wire(leg_);
}

base::ByteQueue& RelayLeg::scratch() const {
  return session_.context().scratch(leg_);
}

base::ByteQueue& RelayLeg::target() {
  return wire().queue.target(scratch());
}

std::size_t RelayLeg::queued() const {
  return wire().queue.size();
}

bool RelayLeg::is_open() const {
  return wire().is_open();
}

bool RelayLeg::may_read() const {
  return is_open() && !has_ended && !wire().transport->waits_readable();
}

bool RelayLeg::is_flushed() const {
  return is_open() && (is_deaf_ || queued() == 0);
}

RelayLeg::Flushed RelayLeg::flush(bool ends) {
  Wire& on = wire();
  if (takes_no_more() || !is_open()) {
    scratch().clear();
    on.queue.drop();
    return {0, false};
  }
  const bool had_waited = !on.queue.empty();
  if (ends) on.transport->announce_end();
  const net::IoResult result = on.queue.flush(*on.transport, scratch());
  if (result.status == net::IoStatus::would_block) session_.want_writable(leg_);
  if (result.status == net::IoStatus::failed) {
    // What the peer said before it hung up can still be read; the end of that tells how it ended.
    is_deaf_ = true;
    on.queue.drop();
  }
  return {result.bytes, had_waited};
}

void RelayLeg::shut_down() {
  if (!std::exchange(is_shut_, true)) wire().transport->shut_down_send();
}

void RelayLeg::close() {
  wire().transport->close();
  wire().queue.drop();
}

}  // namespace wsproxy::proxy
