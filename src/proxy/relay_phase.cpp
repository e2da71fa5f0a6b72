#include "proxy/relay_phase.hpp"

#include <algorithm>
#include <utility>

#include "proxy/session.hpp"

namespace wsproxy::proxy {

using telemetry::Direction;
using telemetry::Side;

namespace {

/// How much output one event may make before it is written: enough for large writes, small enough
/// that a bomb inflates in steps.
constexpr std::size_t kOutputPerEvent = 256 * 1024;

constexpr Leg other(Leg leg) {
  return leg == Leg::client ? Leg::app : Leg::client;
}

constexpr Side side_of(Leg leg) {
  return leg == Leg::client ? Side::client : Side::app;
}

constexpr Direction direction_from(Leg leg) {
  return leg == Leg::client ? Direction::to_app : Direction::to_client;
}

std::uint64_t count_messages(const telemetry::DirectionCounters& counters) {
  return counters.messages[0][0] + counters.messages[0][1] + counters.messages[1][0] +
         counters.messages[1][1];
}

}  // namespace

RelayPhase::RelayPhase(Session& session, const relay::Settings& settings, Beginning beginning)
    : session_(session),
      meter_(session.context().counters, session.facts().relayed),
      relay_(settings, session.context().workshop, meter_),
      keepalive_limits_{session.config().timeouts.ping_interval, session.config().timeouts.ping_timeout,
                        session.config().timeouts.idle},
      keepalive_(keepalive_limits_, net::Clock::now()),
      beginning_(std::move(beginning)),
      high_mark_(session.limits().write_buffer - relay::kRoomOvershoot) {
}

void RelayPhase::begin() {
  const net::Clock::time_point now = net::Clock::now();
  send_answer();
  Beginning early = std::move(beginning_);
  if (!early.from_app.empty()) take(Leg::app, early.from_app.mutable_view());
  if (!early.from_client.empty()) take(Leg::client, early.from_client.mutable_view());
  settle();
  arm(now);
}

void RelayPhase::send_answer() {
  // Not by flush(): the wire bytes that are counted are WebSocket's.
  session_.send(Leg::client, base::as_bytes(beginning_.answer));
  beginning_.answer = {};
}

void RelayPhase::on_readable(Leg leg) {
  // A wait of the handshake's: what came ahead of the relay has its turn first.
  if (has_waiting_input(leg)) return;
  const Session::Input input = session_.read(leg);
  switch (input.status) {
    case net::IoStatus::would_block:
      break;
    case net::IoStatus::done:
      take(leg, input.bytes);
      break;
    case net::IoStatus::end_of_file:
      on_end(leg, "end of file");
      break;
    case net::IoStatus::failed:
      on_end(leg, "connection reset");
      break;
  }
  settle();
}

void RelayPhase::take(Leg from, base::MutableBytes input) {
  telemetry::Counters& counters = session_.context().counters;
  const net::Clock::time_point begun = net::Clock::now();
  const std::size_t direction = telemetry::index(direction_from(from));
  telemetry::DirectionCounters& own = session_.facts().relayed[direction];
  if (!is_resuming_) {
    const std::size_t side = telemetry::index(side_of(from));
    counters.relayed[direction].wire_bytes[side] += input.size();
    own.wire_bytes[side] += input.size();
    if (from == Leg::client) keepalive_.on_heard(begun);
  }
  const std::uint64_t messages_before = count_messages(own);
  const relay::Relay::Output out = output();
  const std::size_t used = relay_.received(from, input, out);
  if (relay_.take_saw_data(from)) keepalive_.on_data(begun);
  log_fault(from);
  flush(other(from));
  flush(from);
  if (used < input.size()) state(from).unread.append(input.subspan(used));
  if (const std::uint64_t messages = count_messages(own) - messages_before; messages > 0) {
    const auto took = net::Clock::now() - begun;
    counters.relay_ns[direction].observe(static_cast<std::uint64_t>(took / std::chrono::nanoseconds{1}),
                                         messages);
  }
}

void RelayPhase::take_unread(Leg from) {
  base::ByteQueue input = std::move(state(from).unread);
  is_resuming_ = true;
  take(from, input.mutable_view());
  is_resuming_ = false;
}

void RelayPhase::on_end(Leg leg, std::string_view cause) {
  state(leg).has_ended = true;
  relay_.ended(leg, cause, output());
  if (leg == Leg::app) {
    if (relay_.ending().by == relay::EndedBy::app && relay_.ending().cause == cause) {
      session_.record_upstream_error(telemetry::UpstreamError::lost, cause);
    }
    session_.wire(leg).transport->close();
    session_.wire(leg).queue.drop();
  }
  flush(other(leg));
}

relay::Relay::Output RelayPhase::output() {
  Context& context = session_.context();
  const std::size_t room = std::min(high_mark_, kOutputPerEvent);
  net::WriteQueue& client = session_.wire(Leg::client).queue;
  net::WriteQueue& app = session_.wire(Leg::app).queue;
  return {client.target(context.to_client), app.target(context.to_app), client.empty() ? room : high_mark_,
          app.empty() ? room : high_mark_};
}

void RelayPhase::flush(Leg leg) {
  Context& context = session_.context();
  Wire& wire = session_.wire(leg);
  base::ByteQueue& scratch = leg == Leg::client ? context.to_client : context.to_app;
  LegState& own = state(leg);
  if (own.is_deaf || !wire.is_open() || own.is_shut) {
    scratch.clear();
    wire.queue.drop();
    return;
  }
  const bool had_waited = !wire.queue.empty();
  const net::IoResult result = wire.queue.flush(*wire.transport, scratch);
  if (result.bytes > 0) {
    const std::size_t direction = telemetry::index(direction_from(other(leg)));
    const std::size_t side = telemetry::index(side_of(leg));
    context.counters.relayed[direction].wire_bytes[side] += result.bytes;
    session_.facts().relayed[direction].wire_bytes[side] += result.bytes;
    // A client that takes what waited for it is alive, even if its pong is far behind.
    if (had_waited) on_progress(leg);
  }
  if (result.status == net::IoStatus::would_block) session_.want_writable(leg);
  if (result.status == net::IoStatus::failed) {
    // What the peer said before it hung up can still be read; the end of that tells how it ended.
    own.is_deaf = true;
    wire.queue.drop();
  }
}

void RelayPhase::on_progress(Leg leg) {
  const net::Clock::time_point now = net::Clock::now();
  if (leg == Leg::client) keepalive_.on_heard(now);
  keepalive_.on_data(now);
  // What was said before the close frame still arrives, as long as it is being taken.
  if (close_by_ != net::Clock::time_point::max()) {
    close_by_ = now + session_.config().timeouts.close;
    arm(now);
  }
}

void RelayPhase::on_writable(Leg leg) {
  flush(leg);
  settle();
}

void RelayPhase::settle() {
  close_if_done(Leg::client);
  close_if_done(Leg::app);
  if (is_over()) {
    session_.close();
    return;
  }
  if (relay_.is_closing() && close_by_ == net::Clock::time_point::max()) {
    const net::Clock::time_point now = net::Clock::now();
    close_by_ = now + session_.config().timeouts.close;
    arm(now);
  }
  read_or_pause(Leg::client);
  read_or_pause(Leg::app);
}

void RelayPhase::close_if_done(Leg leg) {
  Wire& wire = session_.wire(leg);
  LegState& own = state(leg);
  if (!wire.is_open() || !(wire.queue.empty() || own.is_deaf)) return;
  const bool input_is_through = !has_waiting_input(other(leg));
  if (!own.is_shut && relay_.may_shut_down(leg) && input_is_through) {
    own.is_shut = true;
    wire.transport->shut_down_send();
  }
  const bool nothing_will_follow = own.is_shut || own.is_deaf || !session_.wire(other(leg)).is_open();
  if (relay_.must_cut(leg) || (own.has_ended && nothing_will_follow)) wire.transport->close();
}

bool RelayPhase::has_waiting_input(Leg from) {
  return !state(from).unread.empty() || relay_.is_stalled(from);
}

bool RelayPhase::has_room_for(Leg from) {
  return session_.wire(other(from)).queue.size() <= high_mark_ / 2;
}

void RelayPhase::read_or_pause(Leg from) {
  Wire& wire = session_.wire(from);
  const bool has_waiting = has_waiting_input(from);
  const bool may_read = wire.is_open() && !state(from).has_ended && !wire.transport->waits_readable();
  if (!has_waiting && !may_read) return;
  if (!has_room_for(from)) {
    if (!std::exchange(state(from).is_paused, true)) {
      ++session_.context().counters.backpressure[telemetry::index(side_of(other(from)))];
    }
    return;
  }
  state(from).is_paused = false;
  // The rest of one read comes before the next one.
  if (has_waiting) {
    session_.want_turn();
  } else {
    session_.want_readable(from);
  }
}

void RelayPhase::on_turn() {
  for (const Leg leg : {Leg::client, Leg::app}) {
    if (has_waiting_input(leg) && has_room_for(leg)) take_unread(leg);
  }
  settle();
}

bool RelayPhase::is_over() const {
  const auto is_done = [this](Leg leg) { return !session_.wire(leg).is_open(); };
  return is_done(Leg::client) && is_done(Leg::app);
}

void RelayPhase::on_close() {
  // A cut by the drain still says so, as far as the sockets take it.
  relay_.give_up(output());
  flush(Leg::client);
  flush(Leg::app);
  const relay::Ending& ending = relay_.ending();
  session_.set_ending(ending.by, ending.code, ending.cause);
  session_.facts().close_codes = {relay_.close_code(Leg::client), relay_.close_code(Leg::app)};
}

void RelayPhase::log_fault(Leg leg) {
  const websocket::Fault fault = relay_.fault(leg);
  if (fault == websocket::Fault::none || state(leg).fault_logged) return;
  state(leg).fault_logged = true;
  if (leg == Leg::app) session_.record_upstream_error(telemetry::UpstreamError::protocol, describe(fault));
  session_.context().log.write(telemetry::Level::info, "protocol error",
                               {{"by", leg == Leg::client ? "client" : "app"},
                                {"reason", describe(fault)},
                                {"code", std::uint64_t{close_code_for(fault)}},
                                {"client", session_.client()},
                                {"request_id", session_.facts().request_id}});
}

void RelayPhase::on_deadline() {
  const net::Clock::time_point now = net::Clock::now();
  if (now >= close_by_) {
    session_.close();
    return;
  }
  if (now >= drain_at_) {
    drain_at_ = net::Clock::time_point::max();
    relay_.close(relay::EndedBy::operator_, session_.config().drain.close_code, "the server is going away",
                 output());
    flush(Leg::client);
  }
  keep_alive(now);
  settle();
  arm(now);
}

void RelayPhase::keep_alive(net::Clock::time_point now) {
  if (relay_.is_closing()) return;
  const bool is_deaf = !session_.wire(Leg::client).transport->waits_readable();
  switch (keepalive_.check(now, is_deaf)) {
    case websocket::Keepalive::Action::wait:
      break;
    case websocket::Keepalive::Action::ping: {
      std::array<std::byte, 8> payload{};
      std::ranges::copy(session_.context().mask_keys.next(), payload.begin());
      std::ranges::copy(session_.context().mask_keys.next(), payload.begin() + 4);
      if (relay_.ping_client(payload, output())) keepalive_.on_ping_sent(now);
      flush(Leg::client);
      break;
    }
    case websocket::Keepalive::Action::dead:
      state(Leg::client).has_ended = true;
      session_.wire(Leg::client).transport->reset();
      relay_.ended(Leg::client, "ping timeout", output());
      break;
    case websocket::Keepalive::Action::idle:
      relay_.close(relay::EndedBy::proxy, websocket::close_code::going_away, "idle timeout", output());
      flush(Leg::client);
      // Nobody finishes a message on an idle connection: the close frame may not wait for that.
      close_by_ = now + session_.config().timeouts.close;
      break;
  }
}

void RelayPhase::arm(net::Clock::time_point now) {
  const bool is_ending = close_by_ != net::Clock::time_point::max();
  session_.set_deadline(is_ending ? close_by_ : std::min(keepalive_.next_check(now), drain_at_));
}

void RelayPhase::on_drain(net::Clock::time_point when) {
  drain_at_ = when;
  arm(net::Clock::now());
}

}  // namespace wsproxy::proxy
