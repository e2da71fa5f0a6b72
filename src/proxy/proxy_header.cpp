#include "proxy/proxy_header.hpp"

#include "http/proxy_protocol.hpp"
#include "proxy/session.hpp"

namespace wsproxy::proxy {

std::string proxy_header_for(Session& session) {
  const config::ProxyHeader kind = session.upstream().proxy_protocol;
  if (kind == config::ProxyHeader::off) return {};
  const bool is_v1 = kind == config::ProxyHeader::v1;
  return http::proxy_header(is_v1 ? http::ProxyVersion::v1 : http::ProxyVersion::v2, session.addresses());
}

}  // namespace wsproxy::proxy
