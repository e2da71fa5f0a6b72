#include "proxy/tls_phase.hpp"

#include <algorithm>
#include <utility>

#include "net/tls_stream.hpp"
#include "proxy/goodbye_phase.hpp"
#include "proxy/head_phase.hpp"
#include "proxy/session.hpp"

namespace wsproxy::proxy {

using Reason = telemetry::TlsFailureReason;

namespace {

constexpr Refusal kPlainHttp{telemetry::Rejection::tls, 400, "This port speaks TLS: use https:// or wss://."};

}  // namespace

net::Transport& TlsPhase::client() {
  return *session_.wire(Leg::client).transport;
}

void TlsPhase::begin() {
  Context& context = session_.context();
  session_.set_deadline(handshake_by());
  const base::ByteQueue early = std::move(early_);
  client().begin_tls(session_.settings().tls.listeners.at(session_.listener())->accept(context.tls_buffers),
                     context.tls_buffers, {.from_peer = early.view()});
  session_.want_readable(Leg::client);
}

void TlsPhase::on_readable(Leg) {
  switch (client().shake_hands()) {
    case net::Transport::Handshake::under_way:
      session_.want_readable(Leg::client);
      break;
    case net::Transport::Handshake::done:
      on_done();
      break;
    case net::Transport::Handshake::failed:
      on_failure();
      break;
  }
}

void TlsPhase::on_done() {
  const net::TlsStream& tls = *client().tls();
  auto& counts = session_.context().counters.tls_handshakes;
  ++counts[tls.is_version_1_3() ? 1 : 0][tls.is_resumed() ? 1 : 0];
  if (const auto certificate = tls.client_certificate()) session_.meet_certificate(*certificate);
  session_.enter(std::make_unique<HeadPhase>(session_));
}

void TlsPhase::on_failure() {
  const net::TlsStream& tls = *client().tls();
  if (!tls.has_heard() && tls.failure().reason == Reason::closed) {
    session_.close();  // a balancer that looks whether somebody listens
    return;
  }
  const Reason reason = tls.failure().reason;
  record(reason, tls.failure().detail);
  if (reason == Reason::closed) {
    session_.record_rejection(telemetry::Rejection::tls);
    session_.close();
    return;
  }
  client().end_tls();
  if (reason == Reason::plain_http) {
    say_goodbye(session_, kPlainHttp, {});
  } else {
    // The alert is on its way, and a reset would overtake it.
    session_.record_rejection(telemetry::Rejection::tls);
    session_.enter(std::make_unique<GoodbyePhase>(session_, std::string{}));
  }
}

void TlsPhase::record(Reason reason, std::string_view detail) {
  ++session_.context().counters.tls_failures[telemetry::index(reason)];
  const std::string peer = session_.client();
  const std::string listener = session_.config().listeners[session_.listener()].label();
  session_.context().log.write(telemetry::Level::debug, "TLS handshake failed",
                               {{"client", peer},
                                {"listener", listener},
                                {"reason", telemetry::kTlsFailureNames[telemetry::index(reason)]},
                                {"detail", detail}});
}

void TlsPhase::on_writable(Leg) {
}

net::Clock::time_point TlsPhase::handshake_by() const {
  return session_.started() + session_.config().timeouts.handshake;
}

void TlsPhase::on_deadline() {
  if (net::Clock::now() < handshake_by()) return session_.close();  // the drain's
  const net::TlsStream* tls = client().tls();
  const bool is_being_answered = tls == nullptr;
  if (is_being_answered || tls->has_heard()) {
    record(Reason::timeout, is_being_answered ? "the proxy has not come to it in time"
                                              : "the client has stopped in the middle");
    session_.record_rejection(telemetry::Rejection::tls);
  } else {
    session_.record_rejection(telemetry::Rejection::handshake_timeout);
  }
  session_.close();
}

void TlsPhase::on_drain(net::Clock::time_point when) {
  session_.set_deadline(std::min(handshake_by(), session_.first_words_by(when)));
}

}  // namespace wsproxy::proxy
