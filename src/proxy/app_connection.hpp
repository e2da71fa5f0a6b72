#pragma once

#include "net/connector.hpp"

namespace wsproxy::proxy {

class Session;

/// Tells a connector how the app of a session's request wants to be spoken to: with TLS or without.
void prepare(net::Connector& connector, Session& session);

/// Gives a session the connection to its app that `prepare` was for. Where upstream.proxy_protocol asks for a
/// header, that goes ahead of everything else, of TLS too.
void open_app(Session& session, std::unique_ptr<net::Transport> transport);

}  // namespace wsproxy::proxy
