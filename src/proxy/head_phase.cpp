#include "proxy/head_phase.hpp"

#include <algorithm>
#include <utility>

#include "http/error_page.hpp"
#include "proxy/admission.hpp"
#include "proxy/forward_phase.hpp"
#include "proxy/goodbye_phase.hpp"
#include "proxy/session.hpp"
#include "proxy/upgrade_phase.hpp"

namespace wsproxy::proxy {

using telemetry::Rejection;

HeadPhase::HeadPhase(Session& session, base::Bytes early)
    : session_(session),
      reader_(session.config().limits.max_header_size),
      request_by_(session.started() + session.config().timeouts.handshake),
      is_first_(true) {
  early_.append(early);
}

HeadPhase::HeadPhase(Session& session, base::ByteQueue early)
    : session_(session),
      reader_(session.config().limits.max_header_size),
      early_(std::move(early)),
      request_by_(net::Clock::now() + session.config().http.client_timeout),
      is_first_(false) {
}

void HeadPhase::begin() {
  arm();
  if (early_.empty()) {
    session_.want_readable(Leg::client);
  } else {
    take(early_.view());
  }
}

void HeadPhase::on_readable(Leg leg) {
  if (leg != Leg::client) return;
  const Session::Input input = session_.read(leg);
  if (input.status == net::IoStatus::would_block) return;
  if (input.status != net::IoStatus::done) {
    session_.set_ending(relay::EndedBy::client, websocket::close_code::abnormal, "left before the handshake");
    session_.close();
    return;
  }
  take(input.bytes);
}

void HeadPhase::take(base::Bytes input) {
  const bool had_begun = reader_.has_begun();
  std::size_t used = 0;
  const http::HeadStatus status = reader_.feed(input, used);
  if (!had_begun && reader_.has_begun()) {
    begun_ = net::Clock::now();
    if (!is_first_) request_by_ = begun_ + session_.config().timeouts.handshake;
    arm();
  }
  switch (status) {
    case http::HeadStatus::need_more:
      session_.want_readable(Leg::client);
      break;
    case http::HeadStatus::complete:
      on_head(input.subspan(used));
      break;
    case http::HeadStatus::too_large:
      say_goodbye(session_,
                  {Rejection::header_too_large, 431, "The request head is larger than this proxy allows."},
                  reader_.problem());
      break;
    case http::HeadStatus::malformed:
      say_goodbye(session_, {Rejection::bad_request, 400, "The request is malformed."}, reader_.problem());
      break;
  }
}

void HeadPhase::on_head(base::Bytes rest) {
  http::RequestHead& head = reader_.head();
  session_.begin_request(head, begun_);
  const Verdict verdict = judge(head, session_.config().http, session_.limits());
  if (is_first_ && verdict.way == Verdict::Way::upgrade) session_.facts().started = session_.started();
  if (session_.is_over_limit()) {
    say_goodbye(session_, {Rejection::max_connections, 503, "Too many connections."}, {});
  } else if (!session_.has_place()) {
    say_goodbye(session_, {Rejection::max_connections_per_ip, 429, "Too many connections from this address."},
                {});
  } else if (verdict.refusal) {
    say_goodbye(session_, *verdict.refusal, {});
  } else if (verdict.way == Verdict::Way::upgrade && !session_.may_shake_hands()) {
    say_goodbye(session_, {Rejection::handshake_rate, 429, "Too many handshakes from this address."}, {});
  } else if (verdict.way == Verdict::Way::answered_here) {
    session_.facts().status = 200;
    session_.enter(std::make_unique<GoodbyePhase>(session_, http::empty_answer()));
  } else if (!session_.take_app_place()) {
    say_goodbye(session_, {Rejection::upstream_max_connections, 503, "The application has no place left."},
                {});
  } else if (verdict.way == Verdict::Way::upgrade) {
    session_.enter(std::make_unique<UpgradePhase>(session_, std::move(head), rest));
  } else {
    session_.enter(std::make_unique<ForwardPhase>(session_, std::move(head), rest));
  }
}

void HeadPhase::on_writable(Leg) {
}

void HeadPhase::arm() {
  session_.set_deadline(std::min(request_by_, drain_at_));
}

void HeadPhase::on_deadline() {
  if (net::Clock::now() < request_by_) {
    reader_.has_begun() ? say_goodbye(session_, kGoingAway, {}) : session_.close();
  } else if (reader_.has_begun()) {
    say_goodbye(session_, {Rejection::handshake_timeout, 408, "The request did not arrive in time."}, {});
  } else {
    // One that has had its answers just has no more to ask.
    if (is_first_) session_.record_rejection(Rejection::handshake_timeout);
    session_.close();
  }
}

void HeadPhase::on_drain(net::Clock::time_point when) {
  // Whoever is in mid-request gets an answer, whoever has had one and is silent has been promised nothing.
  if (!reader_.has_begun() && !is_first_) return session_.close();
  drain_at_ = reader_.has_begun() ? when : session_.first_words_by(when);
  arm();
}

}  // namespace wsproxy::proxy
