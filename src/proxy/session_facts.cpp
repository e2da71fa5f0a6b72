#include "proxy/session_facts.hpp"

#include <algorithm>
#include <chrono>

#include "proxy/session.hpp"
#include "telemetry/access_log.hpp"

namespace wsproxy::proxy {

using telemetry::Direction;
using telemetry::Side;

namespace {

void count_closes(const SessionFacts& facts, telemetry::Counters& counters) {
  for (const Side side : {Side::client, Side::app}) {
    const std::size_t i = telemetry::index(side);
    ++counters.closes[i][telemetry::close_code_index(facts.close_codes[i])];
  }
}

void count_plain_request(const SessionFacts& facts, telemetry::Counters& counters) {
  // RFC 9110 section 15: what is over 599 counts as a server's error.
  ++counters.http_requests[std::min<std::size_t>(facts.status / 100, telemetry::kStatusClasses) - 1];
  const auto took = net::Clock::now() - facts.started;
  counters.http_request_ns.observe(static_cast<std::uint64_t>(took / std::chrono::nanoseconds{1}));
}

telemetry::ClosedBy closer(relay::EndedBy by) {
  switch (by) {
    case relay::EndedBy::app:
      return telemetry::ClosedBy::app;
    case relay::EndedBy::proxy:
      return telemetry::ClosedBy::proxy;
    case relay::EndedBy::operator_:
      return telemetry::ClosedBy::by_operator;
    case relay::EndedBy::nobody:
    case relay::EndedBy::client:
      break;
  }
  return telemetry::ClosedBy::client;
}

void describe_request(const SessionFacts& facts, telemetry::AccessRecord& record) {
  record.method = facts.method;
  record.target = facts.target;
  record.status = facts.status;
  record.subprotocol = facts.subprotocol;
  record.extension = facts.extension;
  record.request_id = facts.request_id;
  record.user_agent = facts.user_agent;
  record.traceparent = facts.traceparent;
  if (!facts.is_plain) return;
  record.request_bytes = facts.body_bytes[telemetry::index(Direction::to_app)];
  record.response_bytes = facts.body_bytes[telemetry::index(Direction::to_client)];
  record.is_complete = facts.is_complete;
}

void describe_relay(const SessionFacts& facts, telemetry::AccessRecord& record) {
  for (const Direction direction : {Direction::to_client, Direction::to_app}) {
    const telemetry::DirectionCounters& counted = facts.relayed[telemetry::index(direction)];
    telemetry::AccessTraffic& traffic = record.traffic[telemetry::index(direction)];
    for (const auto& by_type : counted.messages) traffic.messages += by_type[0] + by_type[1];
    traffic.payload_bytes = counted.payload_bytes;
    traffic.wire_bytes = counted.wire_bytes[telemetry::index(Side::client)];
  }
  record.close_code = facts.close_codes[telemetry::index(Side::client)];
}

}  // namespace

void count(const SessionFacts& facts, telemetry::Counters& counters) {
  if (facts.status == 101) count_closes(facts, counters);
  if (facts.is_plain && facts.status >= 100) count_plain_request(facts, counters);
}

void write_access_line(Session& session) {
  const SessionFacts& facts = session.facts();
  const config::Config& config = session.config();
  const bool has_request = !facts.method.empty();
  if (!session.context().config().log.access || (!has_request && facts.status == 0)) return;
  const std::string client = session.client();
  const std::string listener = config.listeners[session.listener()].label();
  const bool has_choice = !config.routes.empty() && has_request;
  const std::string upstream = has_choice ? session.upstream().url.text() : std::string{};
  telemetry::AccessRecord record;
  record.client = client;
  record.listener = listener;
  record.upstream = upstream;
  describe_request(facts, record);
  describe_relay(facts, record);
  record.duration = net::Clock::now() - facts.started;
  record.closed_by = closer(facts.ending.by);
  record.cause = facts.ending.cause;
  if (telemetry::ended_as_it_should(record)) {
    record.sample = session.context().config().log.access_sample;
    if (session.context().ended_well++ % record.sample != 0) return;
  }
  telemetry::write_access(session.context().log, record);
}

}  // namespace wsproxy::proxy
