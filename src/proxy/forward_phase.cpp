#include "proxy/forward_phase.hpp"

#include <algorithm>
#include <utility>

#include "proxy/admission.hpp"
#include "proxy/app_connection.hpp"
#include "proxy/app_failure.hpp"
#include "proxy/client_facts.hpp"
#include "proxy/goodbye_phase.hpp"
#include "proxy/head_phase.hpp"
#include "proxy/session.hpp"

namespace wsproxy::proxy {

using telemetry::Direction;
using telemetry::UpstreamError;
using Status = http::Exchange::Status;

namespace {

constexpr Refusal kBadChunk{telemetry::Rejection::bad_request, 400, "The request is malformed."};
constexpr Refusal kTooSlow{telemetry::Rejection::handshake_timeout, 408,
                           "The request did not arrive in time."};

constexpr AppFailure kHungUp{UpstreamError::closed_early, 502, "The application hung up before its answer."};

http::Exchange make_exchange(Session& session, http::RequestHead request) {
  const ClientFacts client{session};
  return {
      std::move(request), client.facts(), {session.config().limits.max_header_size, session.is_draining()}};
}

}  // namespace

ForwardPhase::ForwardPhase(Session& session, http::RequestHead request, base::Bytes early)
    : session_(session), exchange_(make_exchange(session, std::move(request))) {
  early_.append(early);
}

void ForwardPhase::begin() {
  session_.facts().is_plain = true;
  arm();
  // A request that must not reach the app twice does not ride on a connection that the app may be
  // closing right now.
  if (exchange_.may_be_repeated()) {
    if (auto idle = session_.context().app_pool.take(session_.app())) {
      is_reused_ = true;
      session_.open(Leg::app, std::move(idle));
      send_request();
      return;
    }
  }
  connect();
}

void ForwardPhase::connect() {
  const config::Upstream& upstream = session_.upstream();
  Context& context = session_.context();
  connector_.emplace(context.io, context.poller, net::target_of(upstream.url), upstream.connect_timeout);
  prepare(*connector_, session_);
  connector_->start([this, keep_alive = SessionPtr{&session_}](net::ConnectResult result) {
    session_.guarded([this, &result] { on_connected(std::move(result)); });
  });
  session_.want_readable(Leg::client);
}

void ForwardPhase::on_connected(net::ConnectResult result) {
  if (result.status != net::ConnectStatus::connected) {
    say_app_failed(session_, failure_of(result.status), result.reason);
    return;
  }
  open_app(session_, std::move(result.transport));
  send_request();
}

void ForwardPhase::send_request() {
  session_.output(Leg::app).append(base::as_bytes(exchange_.request_head()));
  const base::ByteQueue early = std::move(early_);
  pass_body(early.view());
}

void ForwardPhase::on_readable(Leg leg) {
  const Session::Input input = session_.read(leg);
  switch (input.status) {
    case net::IoStatus::would_block:
      break;
    case net::IoStatus::done:
      leg == Leg::app ? on_app_bytes(input.bytes) : on_client_bytes(input.bytes);
      break;
    case net::IoStatus::end_of_file:
      leg == Leg::app ? on_app_end(true, "end of file") : on_client_end();
      break;
    case net::IoStatus::failed:
      leg == Leg::app ? on_app_end(false, input.error.message()) : lose_client("connection reset");
      break;
  }
}

void ForwardPhase::on_client_bytes(base::Bytes input) {
  if (is_connected() && !exchange_.request_is_complete()) {
    pass_body(input);
  } else {
    early_.append(input);
    settle();
  }
}

void ForwardPhase::pass_body(base::Bytes input) {
  std::size_t used = 0;
  if (exchange_.from_client(input, used, session_.output(Leg::app)) == Status::malformed) {
    note_bodies();
    // The app has a request without an end: it must not take anything else for its rest.
    session_.drop(Leg::app);
    if (exchange_.answer_has_begun()) {
      cut(relay::EndedBy::client, exchange_.problem());
    } else {
      say_goodbye(session_, kBadChunk, exchange_.problem());
    }
    return;
  }
  if (client_has_ended_ && !exchange_.request_is_complete()) {
    lose_client("left in mid-request");
    return;
  }
  note_bodies();
  early_.append(input.subspan(used));
  send_to_app();
  settle();
  arm();
}

void ForwardPhase::send_to_app() {
  if (is_app_deaf_) {
    session_.output(Leg::app).clear();
  } else if (send(Leg::app) == net::IoStatus::failed) {
    // What it said before it stopped listening can still be read.
    is_app_deaf_ = true;
    session_.wire(Leg::app).queue.drop();
  }
}

net::IoStatus ForwardPhase::send(Leg leg) {
  const bool had_waited = !session_.wire(leg).queue.empty();
  const net::IoStatus status = session_.send(leg);
  if (status == net::IoStatus::would_block && !had_waited) {
    const telemetry::Side side = leg == Leg::client ? telemetry::Side::client : telemetry::Side::app;
    ++session_.context().counters.backpressure[telemetry::index(side)];
  }
  return status;
}

void ForwardPhase::on_client_end() {
  if (!exchange_.request_is_complete() && is_connected()) {
    lose_client("left in mid-request");
    return;
  }
  // Half closed: the app shall see the same, and may answer nevertheless.
  client_has_ended_ = true;
  settle();
}

void ForwardPhase::lose_client(std::string_view cause) {
  session_.set_ending(relay::EndedBy::client, websocket::close_code::abnormal, cause);
  session_.close();
}

void ForwardPhase::on_app_bytes(base::Bytes input) {
  std::size_t used = 0;
  const Status status = exchange_.from_app(input, used, session_.output(Leg::client));
  note_bodies();
  if (exchange_.answer_has_begun()) {
    session_.facts().status = static_cast<std::uint16_t>(exchange_.status());
  }
  if (status == Status::malformed) {
    on_bad_answer();
    return;
  }
  if (!send_to_client()) return;
  if (status == Status::complete) {
    finish(used == input.size());
    return;
  }
  settle();
  // A head that trickles has no more time than one that comes at once.
  if (exchange_.answer_has_begun()) arm();
}

void ForwardPhase::on_bad_answer() {
  if (!exchange_.answer_has_begun()) {
    say_app_failed(session_, kBadAnswer, exchange_.problem());
    return;
  }
  session_.record_upstream_error(UpstreamError::bad_response, exchange_.problem());
  if (send_to_client()) cut(relay::EndedBy::app, exchange_.problem());
}

void ForwardPhase::on_app_end(bool is_in_order, std::string_view cause) {
  if (is_reused_ && exchange_.may_be_repeated()) {
    // It closed while the request was under way to it.
    is_reused_ = false;
    is_app_deaf_ = false;
    app_knows_end_ = false;
    session_.drop(Leg::app);
    connect();
    return;
  }
  if (is_in_order && exchange_.app_ended() == Status::complete) {
    finish(false);
  } else if (exchange_.answer_has_begun()) {
    session_.record_upstream_error(UpstreamError::lost, cause);
    cut(relay::EndedBy::app, cause);
  } else {
    std::string detail{cause};
    const AppFailure failure = failure_of_lost(session_, kHungUp, detail);
    say_app_failed(session_, failure, detail);
  }
}

bool ForwardPhase::send_to_client() {
  if (send(Leg::client) != net::IoStatus::failed) return true;
  lose_client("connection reset");
  return false;
}

void ForwardPhase::on_writable(Leg leg) {
  if (leg == Leg::app) {
    send_to_app();
    settle();
    arm();
    return;
  }
  if (!send_to_client()) return;
  if (session_.wire(leg).queue.empty() && stage_ == Stage::cutting) {
    end_cut();
  } else if (session_.wire(leg).queue.empty() && stage_ == Stage::finished) {
    go_on();
  } else {
    settle();
    arm();
  }
}

void ForwardPhase::settle() {
  net::WriteQueue& to_app = session_.wire(Leg::app).queue;
  if (is_connected()) {
    const bool is_last = client_has_ended_ && exchange_.request_is_complete() && !has_next_request();
    if (is_last && to_app.empty() && !std::exchange(app_knows_end_, true)) {
      session_.wire(Leg::app).transport->shut_down_send();
    }
    if (session_.wire(Leg::client).queue.empty()) session_.want_readable(Leg::app);
  }
  // Read ahead too: that is how the end of a client shows.
  const bool is_body = is_connected() && !exchange_.request_is_complete();
  const bool has_room = is_body ? to_app.empty() && !is_app_deaf_ : early_.size() < kMaxEarly;
  if (has_room && !client_has_ended_) session_.want_readable(Leg::client);
}

bool ForwardPhase::has_next_request() const {
  const std::string_view text = base::as_text(early_.view());
  const std::size_t begin = std::min(text.find_first_not_of("\r\n"), text.size());
  return text.find("\r\n\r\n", begin) != std::string_view::npos;
}

void ForwardPhase::cut(relay::EndedBy by, std::string_view cause) {
  stage_ = Stage::cutting;
  session_.set_ending(by, websocket::close_code::abnormal, cause);
  session_.drop(Leg::app);
  if (session_.wire(Leg::client).queue.empty()) {
    end_cut();
  } else {
    arm();
  }
}

void ForwardPhase::end_cut() {
  if (exchange_.cut_needs_reset()) session_.wire(Leg::client).transport->reset();
  session_.close();
}

void ForwardPhase::finish(bool app_said_no_more) {
  stage_ = Stage::finished;
  // One that has not taken all of a request would take the next one for the rest of it.
  const bool took_all = session_.wire(Leg::app).queue.empty() && !is_app_deaf_;
  const bool is_reusable = exchange_.app_persists() && app_said_no_more && took_all && !app_knows_end_;
  if (is_reusable && session_.may_pool_app()) {
    session_.context().app_pool.put(session_.app(), session_.release(Leg::app));
  } else {
    session_.drop(Leg::app);
  }
  session_.leave_app_place();
  if (session_.wire(Leg::client).queue.empty()) {
    go_on();
  } else {
    arm();
  }
}

void ForwardPhase::go_on() {
  session_.facts().is_complete = true;
  session_.record_result(telemetry::ConnectionResult::forwarded);
  session_.end_request();
  const bool may_ask_more = !client_has_ended_ || !early_.empty();
  if (exchange_.client_persists() && may_ask_more && !session_.is_draining()) {
    session_.enter(std::make_unique<HeadPhase>(session_, std::move(early_)));
  } else {
    session_.enter(std::make_unique<GoodbyePhase>(session_, std::string{}));
  }
}

void ForwardPhase::note_bodies() {
  const auto note = [this](Direction direction, std::uint64_t passed) {
    const std::size_t i = telemetry::index(direction);
    session_.context().counters.http_bytes[i] += passed - session_.facts().body_bytes[i];
    session_.facts().body_bytes[i] = passed;
  };
  note(Direction::to_app, exchange_.request_body_bytes());
  note(Direction::to_client, exchange_.answer_body_bytes());
}

ForwardPhase::Debtor ForwardPhase::debtor() const {
  if (!session_.wire(Leg::client).queue.empty()) return Debtor::client;
  if (!is_connected()) return Debtor::nobody;  // the connector has a deadline of its own
  if (!session_.wire(Leg::app).queue.empty()) return Debtor::app;
  if (exchange_.answer_has_begun()) return Debtor::nobody;
  return exchange_.request_is_complete() || waits_for_continue() ? Debtor::app : Debtor::client;
}

bool ForwardPhase::waits_for_continue() const {
  return exchange_.request_body_bytes() == 0 && exchange_.request().fields.count("expect") > 0;
}

void ForwardPhase::arm() {
  const config::Config& config = session_.config();
  config::Duration patience{0};
  switch (debtor()) {
    case Debtor::client:
      patience = config.http.client_timeout;
      break;
    case Debtor::app:
      patience = config.http.response_timeout;
      break;
    case Debtor::nobody:
      patience = is_connected() ? config.timeouts.idle : config::Duration{0};
      break;
  }
  const auto forever = net::Clock::time_point::max();
  session_.set_deadline(patience.count() == 0 ? forever : net::Clock::now() + patience);
}

void ForwardPhase::on_deadline() {
  const bool has_begun = exchange_.answer_has_begun();
  switch (debtor()) {
    case Debtor::client:
      if (has_begun || stage_ != Stage::passing) {
        lose_client("did not take the answer in time");
      } else {
        say_goodbye(session_, kTooSlow, {});
      }
      break;
    case Debtor::app:
      if (has_begun) {
        cut(relay::EndedBy::app, "did not take the request in time");
      } else {
        say_app_failed(session_, kNoAnswerInTime, {});
      }
      break;
    case Debtor::nobody:
      cut(relay::EndedBy::proxy, "idle timeout");
      break;
  }
}

void ForwardPhase::on_drain(net::Clock::time_point) {
  exchange_.close_after_answer();
}

void ForwardPhase::on_close() {
  if (connector_) connector_->cancel();
}

bool ForwardPhase::is_connected() const {
  return session_.wire(Leg::app).is_open();
}

}  // namespace wsproxy::proxy
