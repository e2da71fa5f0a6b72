#include "proxy/relay_leg.hpp"

#include <utility>

#include "proxy/session.hpp"

namespace wsproxy::proxy {

RelayLeg::RelayLeg(Session& session, Leg leg)
    : session_(session), leg_(leg), wire_(session.wire(leg)), scratch_(session.context().scratch(leg)) {
}

RelayLeg::Flushed RelayLeg::flush(bool ends) {
  if (takes_no_more() || !is_open()) {
    scratch_.clear();
    wire_.queue.drop();
    return {0, false};
  }
  const bool had_waited = !wire_.queue.empty();
  if (ends) wire_.transport->announce_end();
  const net::IoResult result = wire_.queue.flush(*wire_.transport, scratch_);
  if (result.status == net::IoStatus::would_block) session_.want_writable(leg_);
  if (result.status == net::IoStatus::failed) {
    // What the peer said before it hung up can still be read; the end of that tells how it ended.
    is_deaf_ = true;
    wire_.queue.drop();
  }
  return {result.bytes, had_waited};
}

void RelayLeg::shut_down() {
  if (!std::exchange(is_shut_, true)) wire_.transport->shut_down_send();
}

void RelayLeg::close(bool in_order) {
  in_order ? wire_.transport->close_in_order() : wire_.transport->close();
  wire_.queue.drop();
}

}  // namespace wsproxy::proxy
