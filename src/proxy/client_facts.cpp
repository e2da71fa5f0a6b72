#include "proxy/client_facts.hpp"

#include "proxy/session.hpp"

namespace wsproxy::proxy {

ClientFacts::ClientFacts(Session& session)
    : session_(session), authority_(session.upstream().url.authority()) {
  if (const std::uint16_t port = session.local_port(); port != 0) port_ = std::to_string(port);
}

http::ForwardedFacts ClientFacts::facts() const {
  http::ForwardedFacts facts;
  facts.peer = session_.peer();
  facts.scheme = session_.is_secure() ? "https" : "http";
  facts.client_cert = session_.client_cert();
  facts.port = port_;
  facts.base_path = session_.upstream().url.base_path;
  facts.request_id = session_.facts().request_id;
  facts.upstream_authority = authority_;
  if (session_.config().headers.upstream_host == config::HostSource::upstream) {
    facts.upstream_host = authority_;
  }
  facts.keep_incoming = session_.is_trusted();
  return facts;
}

std::string fresh_request_id(websocket::MaskKeys& random) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string id;
  id.reserve(32);
  for (int i = 0; i < 4; ++i) {
    for (const std::byte byte : random.next()) {
      id += kHex[std::to_integer<std::size_t>(byte >> 4)];
      id += kHex[std::to_integer<std::size_t>(byte & std::byte{15})];
    }
  }
  return id;
}

}  // namespace wsproxy::proxy
