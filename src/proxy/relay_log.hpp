#pragma once

#include <string_view>

#include "proxy/phase.hpp"
#include "websocket/fault.hpp"

namespace wsproxy::proxy {

class Session;

/// `by` broke the protocol.
void log_fault(Session& session, Leg by, websocket::Fault fault);
/// The client sends more than `limit`, a key of the configuration, allows.
void log_over_rate(Session& session, std::string_view limit, bool is_closed);

}  // namespace wsproxy::proxy
