#include "proxy/upgrade_phase.hpp"

#include <algorithm>

#include "http/upgrade.hpp"
#include "proxy/admission.hpp"
#include "proxy/app_connection.hpp"
#include "proxy/app_failure.hpp"
#include "proxy/client_facts.hpp"
#include "proxy/goodbye_phase.hpp"
#include "proxy/refusal_phase.hpp"
#include "proxy/relay_phase.hpp"
#include "proxy/session.hpp"
#include "websocket/handshake.hpp"

namespace wsproxy::proxy {

using telemetry::UpstreamError;

namespace {

constexpr AppFailure kHungUp{UpstreamError::closed_early, 502,
                             "The application hung up during the handshake."};

deflate::EngineChoice engine_choice(config::Engine engine) {
  switch (engine) {
    case config::Engine::zlib:
      return deflate::EngineChoice::zlib;
    case config::Engine::isal:
      return deflate::EngineChoice::isal;
    case config::Engine::automatic:
      break;
  }
  return deflate::EngineChoice::automatic;
}

deflate::CompressorSettings sending(const config::Compression& compression, const deflate::Params& params) {
  return {.engine = engine_choice(compression.engine),
          .level = compression.level,
          .window_bits = params.server_window_bits,
          .context_takeover = !params.server_no_context_takeover,
          .history_bytes = compression.history.bytes,
          .is_history_auto = compression.history.is_auto,
          .min_size = compression.min_size,
          .is_adaptive = compression.adaptive};
}

deflate::ObserverSettings observing(const config::Compression& compression) {
  return {.engine = engine_choice(compression.engine),
          .window_bits = compression.window_bits,
          .min_size = compression.min_size,
          .is_adaptive = compression.adaptive,
          .every = compression.observe_every};
}

deflate::Negotiation negotiate(const http::RequestHead& request, const config::Compression& compression,
                               const deflate::Codecs& codecs) {
  deflate::NegotiationPolicy policy;
  policy.server_window_bits = compression.window_bits;
  policy.client_window_bits = compression.client_window_bits;
  policy.server_context_takeover = compression.context_takeover && compression.history.bytes > 0;
  policy.client_context_takeover = compression.client_context_takeover;
  policy.history_bytes = compression.history.is_auto ? deflate::kFirstReach : compression.history.bytes;
  policy.free_memory = codecs.budget.free();
  policy.free_for_promises = codecs.free_for_promises();
  deflate::Negotiation result = deflate::negotiate(request.fields.joined("Sec-WebSocket-Extensions"), policy);
  const bool is_wanted = compression.enabled && compression.mode == config::CompressionMode::compress;
  if (!is_wanted && result.result == deflate::NegotiationResult::accepted) {
    result.result = deflate::NegotiationResult::declined;
    result.lacked_memory = false;
    result.answer.clear();
  }
  return result;
}

telemetry::ExtensionOutcome outcome_of(deflate::NegotiationResult result) {
  switch (result) {
    case deflate::NegotiationResult::accepted:
      return telemetry::ExtensionOutcome::accepted;
    case deflate::NegotiationResult::declined:
      return telemetry::ExtensionOutcome::declined;
    case deflate::NegotiationResult::absent:
      break;
  }
  return telemetry::ExtensionOutcome::absent;
}

}  // namespace

UpgradePhase::UpgradePhase(Session& session, http::RequestHead request, base::Bytes early)
    : session_(session),
      request_(std::move(request)),
      connector_(session.context().io, session.context().poller, net::target_of(session.upstream().url),
                 session.upstream().connect_timeout),
      reader_(session.config().limits.max_header_size) {
  early_.append(early);
}

void UpgradePhase::begin() {
  arm();
  prepare(connector_, session_);
  connector_.start([this, keep_alive = SessionPtr{&session_}](net::ConnectResult result) {
    session_.guarded([this, &result] { on_connected(std::move(result)); });
  });
  session_.want_readable(Leg::client);
}

void UpgradePhase::on_connected(net::ConnectResult result) {
  if (result.status != net::ConnectStatus::connected) {
    say_app_failed(session_, failure_of(result.status), result.reason);
    return;
  }
  open_app(session_, std::move(result.transport));
  answer_by_ = net::Clock::now() + session_.upstream().response_timeout;
  arm();
  send_request();
}

void UpgradePhase::send_request() {
  const ClientFacts client{session_};
  // A failed write shows as a failed read, which also has what the app said before it hung up.
  session_.send(Leg::app, base::as_bytes(http::upgrade_request(request_, client.facts())));
  session_.want_readable(Leg::app);
}

void UpgradePhase::on_writable(Leg leg) {
  if (leg == Leg::app) session_.send(leg);
}

void UpgradePhase::on_client_readable() {
  // Whoever hangs up while the app is starting must not hold a place, nor reach the app as a ghost.
  const Session::Input input = session_.read(Leg::client);
  if (input.status == net::IoStatus::end_of_file || input.status == net::IoStatus::failed) {
    session_.set_ending(relay::EndedBy::client, websocket::close_code::abnormal, "left during the handshake");
    session_.close();
    return;
  }
  early_.append(input.bytes);
  if (early_.size() < kMaxEarly) session_.want_readable(Leg::client);
}

void UpgradePhase::on_readable(Leg leg) {
  if (leg == Leg::client) {
    on_client_readable();
    return;
  }
  const Session::Input input = session_.read(leg);
  if (input.status == net::IoStatus::would_block) return;
  if (input.status != net::IoStatus::done) {
    std::string detail = input.error ? input.error.message() : "end of file";
    const AppFailure failure = failure_of_lost(session_, kHungUp, detail);
    say_app_failed(session_, failure, detail);
    return;
  }
  std::size_t used = 0;
  switch (reader_.feed(input.bytes, used)) {
    case http::HeadStatus::need_more:
      session_.want_readable(leg);
      break;
    case http::HeadStatus::complete:
      on_answer(input.bytes.subspan(used));
      break;
    case http::HeadStatus::too_large:
    case http::HeadStatus::malformed:
      say_app_failed(session_, kBadAnswer, reader_.problem());
      break;
  }
}

void UpgradePhase::on_answer(base::MutableBytes rest) {
  http::ResponseHead& answer = reader_.head();
  if (answer.status != 101) {
    session_.facts().status = static_cast<std::uint16_t>(answer.status);
    session_.record_result(telemetry::ConnectionResult::refused_by_app);
    session_.set_ending(relay::EndedBy::app, websocket::close_code::abnormal,
                        "the application refused the handshake");
    session_.enter(std::make_unique<RefusalPhase>(session_, std::move(reader_), rest));
    return;
  }
  const std::string expected = websocket::accept_for(request_.fields.first("Sec-WebSocket-Key"));
  const std::string_view problem =
      problem_with_101(answer, expected, request_.fields.joined("Sec-WebSocket-Protocol"));
  if (!problem.empty()) {
    say_app_failed(session_,
                   {UpstreamError::bad_response, 502, "The application's handshake answer is not valid."},
                   problem);
    return;
  }
  accept(rest);
}

void UpgradePhase::accept(base::MutableBytes rest) {
  Context& context = session_.context();
  const config::Compression& compression = session_.compression();
  const deflate::Negotiation negotiation = negotiate(request_, compression, context.codecs);
  ++context.counters.handshakes[static_cast<std::size_t>(outcome_of(negotiation.result))];
  if (negotiation.lacked_memory) ++context.counters.sacrifices[index(telemetry::Sacrifice::takeover_refused)];

  SessionFacts& facts = session_.facts();
  facts.status = 101;
  facts.subprotocol = reader_.head().fields.first("Sec-WebSocket-Protocol");
  facts.extension = negotiation.answer;
  session_.record_result(telemetry::ConnectionResult::upgraded);
  const auto took = net::Clock::now() - facts.started;
  context.counters.handshake_ns.observe(static_cast<std::uint64_t>(took / std::chrono::nanoseconds{1}));

  relay::Settings settings;
  settings.max_message_bytes = session_.limits().max_message_size;
  settings.lost_code = session_.upstream().lost_code;
  settings.validate_utf8 = session_.config().websocket.validate_utf8;
  if (negotiation.result == deflate::NegotiationResult::accepted) {
    settings.compression =
        relay::CompressionSettings{negotiation.params, sending(compression, negotiation.params)};
  }
  if (compression.enabled && compression.mode == config::CompressionMode::observe) {
    settings.observing = observing(compression);
  }
  RelayPhase::Beginning beginning;
  beginning.answer = http::upgrade_response(reader_.head(), negotiation.answer);
  beginning.from_client = std::move(early_);
  beginning.from_app.append(rest);
  session_.enter(std::make_unique<RelayPhase>(session_, settings, std::move(beginning)));
}

void UpgradePhase::on_deadline() {
  if (net::Clock::now() >= drain_at_) {
    connector_.cancel();  // it may be about to say that it has connected
    say_goodbye(session_, kGoingAway, {});
    return;
  }
  say_app_failed(session_, kNoAnswerInTime, {});
}

void UpgradePhase::on_drain(net::Clock::time_point when) {
  drain_at_ = when;
  arm();
}

void UpgradePhase::arm() {
  session_.set_deadline(std::min(answer_by_, drain_at_));
}

void UpgradePhase::on_close() {
  connector_.cancel();
}

}  // namespace wsproxy::proxy
