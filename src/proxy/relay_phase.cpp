#include "proxy/relay_phase.hpp"

#include <algorithm>
#include <utility>

#include "net/tls_error.hpp"
#include "proxy/destination.hpp"
#include "proxy/relay_log.hpp"
#include "proxy/session.hpp"

namespace wsproxy::proxy {

namespace {

/// How much output one event may make before it is written: enough for large writes, small enough
/// that a bomb inflates in steps.
constexpr std::size_t kOutputPerEvent = 256 * 1024;

telemetry::TrafficTable::Key traffic_key(const Session& session) {
  return {session.config().listeners[session.listener()].label(),
          route_label(session.config(), session.app_number())};
}

constexpr Leg other(Leg leg) {
  return leg == Leg::client ? Leg::app : Leg::client;
}

std::string_view cause_of(const net::error_code& error) {
  if (error == net::make_error_code(net::TlsError::truncated)) return "TLS ended without close_notify";
  if (error == net::make_error_code(net::TlsError::failed)) return "TLS failed";
  return "connection reset";
}

}  // namespace

RelayPhase::RelayPhase(Session& session, const relay::Settings& settings, Beginning beginning)
    : session_(session),
      meter_(session.context().counters, session.context().counters.traffic.cell(traffic_key(session)),
             session.facts().relayed),
      relay_(settings, session.context().workshop, meter_),
      rate_(session.limits(), session.started()),
      times_(session.config().timeouts, net::Clock::now()),
      beginning_(std::move(beginning)),
      client_(session, Leg::client),
      app_(session, Leg::app),
      high_mark_(session.limits().write_buffer - relay::kRoomOvershoot) {
}

void RelayPhase::begin() {
  const net::Clock::time_point now = net::Clock::now();
  send_answer();
  Beginning early = std::move(beginning_);
  if (!early.from_app.empty()) take_fresh(Leg::app, early.from_app.mutable_view());
  if (!early.from_client.empty()) take_fresh(Leg::client, early.from_client.mutable_view());
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
  if (has_waiting_input(leg) || is_held_back(leg)) return;
  const Session::Input input = session_.read(leg);
  switch (input.status) {
    case net::IoStatus::would_block:
      break;
    case net::IoStatus::done:
      take_fresh(leg, input.bytes);
      break;
    case net::IoStatus::end_of_file:
      on_end(leg, "end of file");
      break;
    case net::IoStatus::failed:
      on_end(leg, cause_of(input.error));
      break;
  }
  settle();
}

void RelayPhase::take_fresh(Leg from, base::MutableBytes input) {
  const net::Clock::time_point now = net::Clock::now();
  meter_.on_read(from, input.size());
  if (from == Leg::client) times_.on_heard(now);
  const std::size_t used = take(from, input, now);
  if (used < input.size()) side(from).unread.append(input.subspan(used));
}

void RelayPhase::take_unread(Leg from) {
  base::ByteQueue& unread = side(from).unread;
  unread.consume(take(from, unread.mutable_view(), net::Clock::now()));
  if (unread.empty()) unread.release();
}

std::size_t RelayPhase::take(Leg from, base::MutableBytes input, net::Clock::time_point begun) {
  const std::uint64_t messages_before = meter_.messages(from);
  const std::size_t used = take_share(from, input, begun);
  if (relay_.take_saw_data(from)) times_.on_data(begun);
  note_fault(from);
  flush(other(from));
  flush(from);
  if (const std::uint64_t messages = meter_.messages(from) - messages_before; messages > 0) {
    meter_.on_relayed(from, messages, net::Clock::now() - begun);
  }
  return used;
}

std::size_t RelayPhase::take_share(Leg from, base::MutableBytes input, net::Clock::time_point now) {
  // The end has a limit of its own, and the client's close frame may stand behind much else.
  const bool has_rate = from == Leg::client && !relay_.is_closing();
  TurnShare& share = side(from).share;
  const relay::Allowance given = share.of(has_rate ? rate_.allowance(now) : relay::Allowance{});
  relay::Allowance left = given;
  const std::size_t used = relay_.received_within(from, input, output(), left);
  const std::int64_t count = given.messages - left.messages + given.control_frames - left.control_frames;
  // A message that stands alone, as most do, has nobody to wait for it.
  if (count > 1 || used < input.size()) share.on_taken(count, net::Clock::now() - now);
  if (has_rate) charge(given, left, now);
  return used;
}

void RelayPhase::charge(const relay::Allowance& given, const relay::Allowance& left,
                        net::Clock::time_point now) {
  rate_.charge(given, left, now);
  if (rate_.wait(now) > net::Clock::duration::zero() && !relay_.is_closing()) on_over_rate(now);
}

void RelayPhase::on_over_rate(net::Clock::time_point now) {
  const bool is_closed = session_.limits().rate_action == config::RateAction::close;
  if (!std::exchange(rate_logged_, true)) log_over_rate(session_, rate_.exceeded(now), is_closed);
  if (is_closed) {
    session_.record_rejection(telemetry::Rejection::rate);
    relay_.refuse_client(websocket::close_code::policy_violation, "rate limit", output());
  } else {
    times_.hold_back(now + rate_.wait(now));
    arm(now);
  }
}

void RelayPhase::on_end(Leg leg, std::string_view cause) {
  side(leg).has_ended = true;
  relay_.ended(leg, cause, output());
  if (leg == Leg::app) {
    if (relay_.ending().by == relay::EndedBy::app && relay_.ending().cause == cause) {
      session_.record_upstream_error(telemetry::UpstreamError::lost, cause);
    }
    app_.close(true);
  }
  flush(other(leg));
}

relay::Relay::Output RelayPhase::output() {
  const auto room = [this](const RelayLeg& leg) {
    return leg.queued() == 0 ? std::min(high_mark_, kOutputPerEvent) : high_mark_;
  };
  return {client_.target(), app_.target(), room(client_), room(app_)};
}

void RelayPhase::flush(Leg leg) {
  const RelayLeg::Flushed flushed = side(leg).flush(may_end(leg));
  if (flushed.bytes == 0) return;
  meter_.on_written(leg, flushed.bytes);
  // A client that takes what waited for it is alive, even if its pong is far behind.
  if (flushed.had_waited) on_progress(leg);
}

void RelayPhase::on_progress(Leg leg) {
  const net::Clock::time_point now = net::Clock::now();
  if (leg == Leg::client) times_.on_heard(now);
  times_.on_data(now);
  times_.extend_closing(now);
  if (leg == Leg::client) times_.extend_drain(now);
  if (times_.is_closing() || session_.is_draining()) arm(now);
}

void RelayPhase::on_writable(Leg leg) {
  flush(leg);
  settle();
}

void RelayPhase::settle() {
  if (session_.is_draining()) {
    close_for_drain(net::Clock::now());
    watch_client(net::Clock::now());
  }
  close_if_done(Leg::client);
  close_if_done(Leg::app);
  if (!client_.is_open() && !app_.is_open()) {
    session_.close();
    return;
  }
  if (relay_.is_closing() && !times_.is_closing()) {
    const net::Clock::time_point now = net::Clock::now();
    times_.begin_closing(now);
    arm(now);
  }
  read_or_pause(Leg::client);
  read_or_pause(Leg::app);
}

void RelayPhase::close_if_done(Leg leg) {
  RelayLeg& own = side(leg);
  if (!own.is_flushed()) return;
  if (may_end(leg)) own.shut_down();
  const bool nothing_will_follow = own.takes_no_more() || !side(other(leg)).is_open();
  const bool is_over = own.has_ended && nothing_will_follow;
  if (is_over || relay_.must_cut(leg)) own.close(is_over);
}

bool RelayPhase::may_end(Leg leg) {
  return relay_.may_shut_down(leg) && !has_waiting_input(other(leg));
}

bool RelayPhase::has_waiting_input(Leg from) {
  return !side(from).unread.empty() || relay_.is_stalled(from);
}

bool RelayPhase::has_room_for(Leg from) {
  return side(other(from)).queued() <= high_mark_ / 2;
}

bool RelayPhase::is_held_back(Leg from) const {
  return from == Leg::client && times_.is_holding_back() && !relay_.is_closing();
}

void RelayPhase::read_or_pause(Leg from) {
  const bool has_waiting = has_waiting_input(from);
  if (is_held_back(from) || (!has_waiting && !side(from).may_read())) return;
  if (!has_room_for(from)) {
    if (!std::exchange(side(from).is_paused, true)) meter_.on_backpressure(other(from));
    return;
  }
  side(from).is_paused = false;
  // The rest of one read comes before the next one.
  if (has_waiting) {
    session_.want_turn();
  } else {
    session_.want_readable(from);
  }
}

void RelayPhase::on_turn() {
  for (const Leg leg : {Leg::client, Leg::app}) {
    if (has_waiting_input(leg) && has_room_for(leg) && !is_held_back(leg)) take_unread(leg);
  }
  settle();
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

void RelayPhase::note_fault(Leg leg) {
  const websocket::Fault fault = relay_.fault(leg);
  if (fault == websocket::Fault::none || std::exchange(side(leg).fault_logged, true)) return;
  if (leg == Leg::app) session_.record_upstream_error(telemetry::UpstreamError::protocol, describe(fault));
  log_fault(session_, leg, fault);
}

void RelayPhase::on_deadline() {
  const net::Clock::time_point now = net::Clock::now();
  if (times_.is_closing_over(now) || times_.is_client_stuck(now)) {
    session_.close();
    return;
  }
  times_.let_go(now);
  close_for_drain(now);
  keep_alive(now);
  settle();
  arm(now);
}

void RelayPhase::close_for_drain(net::Clock::time_point now) {
  if (relay_.is_closing() || !times_.take_drain(now, is_app_read_out())) return;
  relay_.close(relay::EndedBy::operator_, session_.context().config().drain.close_code,
               "the server is going away", output());
  flush(Leg::client);
}

void RelayPhase::watch_client(net::Clock::time_point now) {
  if (!relay_.is_close_pending() || client_.is_flushed()) return times_.end_wait();
  times_.wait_for_client(now);
  arm(now);
}

bool RelayPhase::is_app_read_out() {
  if (!app_.is_open() || app_.has_ended) return true;
  return !has_waiting_input(Leg::app) && !session_.wire(Leg::app).transport->may_read();
}

void RelayPhase::keep_alive(net::Clock::time_point now) {
  if (relay_.is_closing()) return;
  const bool is_deaf = !session_.wire(Leg::client).transport->waits_readable();
  // A client that takes what the kernel still has for it is alive: a ping can stand behind some MB there.
  const std::uint32_t unacknowledged = session_.wire(Leg::client).transport->unacknowledged();
  if (unacknowledged < std::exchange(unacknowledged_, unacknowledged)) times_.on_heard(now);
  switch (times_.check(now, is_deaf)) {
    case RelayTimes::Action::wait:
      break;
    case RelayTimes::Action::ping: {
      std::array<std::byte, 8> payload{};
      std::ranges::copy(session_.context().mask_keys.next(), payload.begin());
      std::ranges::copy(session_.context().mask_keys.next(), payload.begin() + 4);
      if (relay_.ping_client(payload, output())) times_.on_ping_sent(now);
      flush(Leg::client);
      break;
    }
    case RelayTimes::Action::dead:
      client_.has_ended = true;
      session_.wire(Leg::client).transport->reset();
      relay_.ended(Leg::client, "ping timeout", output());
      break;
    case RelayTimes::Action::idle:
      relay_.close(relay::EndedBy::proxy, websocket::close_code::going_away, "idle timeout", output());
      flush(Leg::client);
      // Nobody finishes a message on an idle connection: the close frame may not wait for that.
      times_.begin_closing(now);
      break;
  }
}

void RelayPhase::arm(net::Clock::time_point now) {
  session_.set_deadline(times_.next(now));
}

void RelayPhase::on_drain(net::Clock::time_point when) {
  times_.drain_at(when, session_.drain_latest());
  arm(net::Clock::now());
}

}  // namespace wsproxy::proxy
