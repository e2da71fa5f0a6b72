#include "relay/relay.hpp"

namespace wsproxy::relay {

namespace {

constexpr Leg other(Leg leg) {
  return leg == Leg::client ? Leg::app : Leg::client;
}

}  // namespace

Relay::Relay(const Settings& settings, Workshop& workshop, Meter& meter)
    : settings_(settings),
      workshop_(workshop),
      to_app_(settings_, workshop, meter),
      to_client_(settings_, workshop, meter) {
}

std::size_t Relay::received(Leg from, base::MutableBytes input, const Output& out) {
  Allowance unlimited;
  return received_within(from, input, out, unlimited);
}

std::size_t Relay::received_within(Leg from, base::MutableBytes input, const Output& out,
                                   Allowance& allowance) {
  if (!listens(from)) return input.size();
  const std::size_t used = from == Leg::client ? received_from_client(input, out, allowance)
                                               : received_from_app(input, out, allowance);
  return listens(from) ? used : input.size();
}

std::size_t Relay::received_from_app(base::MutableBytes input, const Output& out, Allowance& allowance) {
  std::size_t used = 0;
  for (;;) {
    const auto result = to_client_.feed(input.subspan(used), out.to_client, out.client_room, allowance,
                                        state(Leg::client).close_sent, pending_close_.has_value());
    used += result.used;
    if (result.event == ToClient::Event::fault) on_app_fault(out);
    if (result.event == ToClient::Event::close) on_close_frame(Leg::app, to_client_.close_payload(), out);
    if (result.event != ToClient::Event::message_end) break;
    send_pending_close(out);
  }
  return used;
}

std::size_t Relay::received_from_client(base::MutableBytes input, const Output& out, Allowance& allowance) {
  const auto result = to_app_.feed(input, out.to_app, out.app_room, allowance, state(Leg::app).close_sent);
  if (result.event == ToApp::Event::fault) {
    refuse_client(close_code_for(to_app_.fault()), describe(to_app_.fault()), out);
  }
  if (result.event == ToApp::Event::close) on_close_frame(Leg::client, to_app_.close_payload(), out);
  return result.used;
}

void Relay::on_close_frame(Leg from, const websocket::ClosePayload& payload, const Output& out) {
  const bool is_answer = state(from).close_sent;
  state(from).close_received = true;
  begin_ending(from == Leg::client ? EndedBy::client : EndedBy::app, payload.code, "close frame");
  if (!is_answer) state(from).code = payload.code;
  pending_close_.reset();
  send_close(other(from), payload.code, payload.reason, out);
}

void Relay::refuse_client(std::uint16_t code, std::string_view reason, const Output& out) {
  state(Leg::client).failed = true;
  begin_ending(EndedBy::proxy, code, reason);
  pending_close_.reset();
  send_close(Leg::client, code, reason, out);
  send_close(Leg::app, code, reason, out);
}

void Relay::on_app_fault(const Output& out) {
  const websocket::Fault fault = to_client_.fault();
  state(Leg::app).failed = true;
  begin_ending(EndedBy::proxy, close_code_for(fault), describe(fault));
  pending_close_.reset();
  send_close(Leg::app, close_code_for(fault), describe(fault), out);
  send_close(Leg::client, settings_.lost_code, "the application broke the protocol", out);
}

void Relay::ended(Leg leg, std::string_view cause, const Output& out) {
  if (state(leg).ended) return;
  state(leg).ended = true;
  const bool is_lost = !state(leg).close_received && !state(leg).failed;
  if (is_lost) {
    begin_ending(leg == Leg::client ? EndedBy::client : EndedBy::app,
                 leg == Leg::client ? websocket::close_code::abnormal : settings_.lost_code, cause);
  }
  is_closing_ = true;
  pending_close_.reset();
  if (leg == Leg::client) return;  // may_shut_down(app) passes the end of file on
  if (state(Leg::client).close_received) {
    // The client asked to close and the app hung up instead of answering: that is what was asked for.
    send_close(Leg::client, state(Leg::client).code, {}, out);
  } else {
    send_close(Leg::client, settings_.lost_code, "the application went away", out);
  }
}

void Relay::close(EndedBy by, std::uint16_t code, std::string_view reason, const Output& out) {
  if (is_closing_ || pending_close_) return;
  begin_ending(by, code, by == EndedBy::operator_ ? "drain" : "timeout");
  pending_close_ = PendingClose{code, std::string{reason}};
  send_pending_close(out);
}

void Relay::send_pending_close(const Output& out) {
  if (!pending_close_ || !to_client_.between_messages()) return;
  const PendingClose pending = std::move(*pending_close_);
  pending_close_.reset();
  send_close(Leg::client, pending.code, pending.reason, out);
}

void Relay::give_up(const Output& out) {
  send_close(Leg::client, state(Leg::app).close_received ? state(Leg::app).code : ending_.code, {}, out);
  if (!state(Leg::client).ended || state(Leg::app).close_received) {
    send_close(Leg::app, state(Leg::app).close_received ? state(Leg::app).code : state(Leg::client).code, {},
               out);
  }
}

bool Relay::ping_client(const std::array<std::byte, 8>& payload, const Output& out) {
  if (state(Leg::client).close_sent) return false;
  to_app_.expect_pong(payload);
  websocket::append_frame({.opcode = websocket::Opcode::ping}, payload, out.to_client);
  return true;
}

bool Relay::listens(Leg leg) const {
  const LegState& s = state(leg);
  return !s.close_received && !s.failed && !s.ended;
}

bool Relay::may_shut_down(Leg leg) const {
  const LegState& s = state(leg);
  if (leg == Leg::client) return s.close_sent && (s.close_received || s.failed || s.ended);
  // Toward the app the proxy is the client: after both close frames the app hangs up first
  // (RFC 6455 section 7.1.1); a client that vanished is passed on as an end of file.
  const LegState& client = state(Leg::client);
  const bool client_vanished = client.ended && !client.close_received;
  return (s.close_sent && s.failed) || (client_vanished && !is_stalled(Leg::client));
}

void Relay::begin_ending(EndedBy by, std::uint16_t code, std::string_view cause) {
  if (ending_.by == EndedBy::nobody) ending_ = {by, code, cause};
}

void Relay::send_close(Leg to, std::uint16_t code, std::string_view reason, const Output& out) {
  is_closing_ = true;
  LegState& leg = state(to);
  if (leg.close_sent || leg.ended) return;
  const bool fits = to == Leg::client || to_app_.between_frames();
  if (!fits) {
    leg.must_cut = true;
    return;
  }
  if (code == websocket::close_code::abnormal) code = websocket::close_code::going_away;
  leg.close_sent = true;
  if (!leg.close_received) leg.code = code;
  const bool masked = to == Leg::app;
  websocket::append_close_frame(
      {.masked = masked, .mask_key = masked ? workshop_.mask_keys.next() : websocket::MaskKey{}}, code,
      reason, masked ? out.to_app : out.to_client);
}

}  // namespace wsproxy::relay
