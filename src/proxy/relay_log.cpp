#include "proxy/relay_log.hpp"

#include "proxy/session.hpp"

namespace wsproxy::proxy {

using telemetry::Level;

void log_fault(Session& session, Leg by, websocket::Fault fault) {
  session.context().log.write(Level::info, "protocol error",
                              {{"by", by == Leg::client ? "client" : "app"},
                               {"reason", describe(fault)},
                               {"code", std::uint64_t{close_code_for(fault)}},
                               {"client", session.client()},
                               {"request_id", session.facts().request_id}});
}

void log_over_rate(Session& session, std::string_view limit, bool is_closed) {
  session.context().log.write(Level::info, "rate limit",
                              {{"limit", limit},
                               {"action", is_closed ? "close" : "slow"},
                               {"client", session.client()},
                               {"request_id", session.facts().request_id}});
}

}  // namespace wsproxy::proxy
