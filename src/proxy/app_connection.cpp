#include "proxy/app_connection.hpp"

#include "proxy/proxy_header.hpp"
#include "proxy/session.hpp"

namespace wsproxy::proxy {

void prepare(net::Connector& connector, Session& session) {
  if (!session.upstream().url.tls) return;
  Context& context = session.context();
  connector.secure(session.settings().tls.apps.at(session.app_number()), context.tls_buffers,
                   proxy_header_for(session));
}

void open_app(Session& session, std::unique_ptr<net::Transport> transport) {
  session.open(Leg::app, std::move(transport));
  if (session.upstream().url.tls) return;
  session.output(Leg::app).append(base::as_bytes(proxy_header_for(session)));
}

}  // namespace wsproxy::proxy
