#include "proxy/head_phase.hpp"

#include <algorithm>

#include "proxy/admission.hpp"
#include "proxy/goodbye_phase.hpp"
#include "proxy/session.hpp"
#include "proxy/upgrade_phase.hpp"

namespace wsproxy::proxy {

using telemetry::Rejection;

HeadPhase::HeadPhase(Session& session) : session_(session), reader_(session.config().limits.max_header_size) {
}

void HeadPhase::begin() {
  request_by_ = net::Clock::now() + session_.config().timeouts.handshake;
  session_.set_deadline(request_by_);
  session_.want_readable(Leg::client);
}

void HeadPhase::on_readable(Leg leg) {
  const Session::Input input = session_.read(leg);
  if (input.status == net::IoStatus::would_block) return;
  if (input.status != net::IoStatus::done) {
    session_.set_ending(relay::EndedBy::client, websocket::close_code::abnormal, "left before the handshake");
    session_.close();
    return;
  }
  has_bytes_ = true;
  std::size_t used = 0;
  switch (reader_.feed(input.bytes, used)) {
    case http::HeadStatus::need_more:
      session_.want_readable(leg);
      break;
    case http::HeadStatus::complete:
      on_head(input.bytes.subspan(used));
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
  const http::RequestHead& head = reader_.head();
  session_.facts().method = head.method;
  session_.facts().target = head.target;
  session_.facts().user_agent = head.fields.first("User-Agent");
  if (session_.is_over_limit()) {
    say_goodbye(session_, {Rejection::max_connections, 503, "Too many connections."}, {});
    return;
  }
  if (!session_.has_place()) {
    say_goodbye(session_, {Rejection::max_connections_per_ip, 429, "Too many connections from this address."},
                {});
    return;
  }
  if (const auto refusal = judge(head, session_.config().limits)) {
    say_goodbye(session_, *refusal, {});
    return;
  }
  if (!session_.take_app_place()) {
    say_goodbye(session_, {Rejection::upstream_max_connections, 503, "The application has no place left."},
                {});
    return;
  }
  session_.enter(std::make_unique<UpgradePhase>(session_, std::move(reader_.head()), rest));
}

void HeadPhase::on_writable(Leg) {
}

void HeadPhase::on_deadline() {
  if (net::Clock::now() < request_by_) {
    say_goodbye(session_, kGoingAway, {});
    return;
  }
  if (has_bytes_) {
    say_goodbye(session_, {Rejection::handshake_timeout, 408, "The request did not arrive in time."}, {});
    return;
  }
  session_.record_rejection(Rejection::handshake_timeout);
  session_.close();
}

void HeadPhase::on_drain(net::Clock::time_point when) {
  // Nothing has been promised yet: whoever is silent is cut, whoever is in mid-request gets an answer.
  if (!has_bytes_) {
    session_.close();
  } else {
    session_.set_deadline(std::min(request_by_, when));
  }
}

}  // namespace wsproxy::proxy
