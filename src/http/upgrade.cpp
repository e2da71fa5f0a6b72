#include "http/upgrade.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "http/head_writer.hpp"
#include "http/request_target.hpp"

namespace wsproxy::http {
namespace {

/// A handshake has no body (Content-Length would make the app read our frames as one), and extensions
/// are this proxy's own business with the client.
bool ends_at_proxy(std::string_view name) {
  return base::iequals(name, "sec-websocket-extensions") || base::iequals(name, "content-length");
}

/// Subprotocols are compared as they are (RFC 6455 section 4.1).
bool was_offered(std::string_view subprotocol, std::string_view offered) {
  while (!offered.empty()) {
    const std::size_t comma = std::min(offered.find(','), offered.size());
    if (base::trim(offered.substr(0, comma)) == subprotocol) return true;
    offered.remove_prefix(std::min(comma + 1, offered.size()));
  }
  return false;
}

}  // namespace

std::string upgrade_request(const RequestHead& client, const ForwardedFacts& facts) {
  const ForwardedFields forwarded{client, facts};
  const HopByHop hop_by_hop{client.fields};
  HeadWriter writer;
  writer.first_line(client.method + ' ' + target_for_app(client.method, client.target, facts.base_path) +
                    " HTTP/1.1");
  for (const Field& field : client.fields.all()) {
    if (forwarded.replaces(field.name) || ends_at_proxy(field.name)) continue;
    if (hop_by_hop.covers(field.name)) continue;
    writer.field(field.name, base::iequals(field.name, "host") ? forwarded.host() : field.value);
  }
  writer.field("Connection", "Upgrade").field("Upgrade", "websocket");
  forwarded.write(writer);
  return std::move(writer).finish();
}

std::string_view problem_with_101(const ResponseHead& answer, std::string_view expected_accept,
                                  std::string_view offered_subprotocols) {
  const Fields& fields = answer.fields;
  if (answer.status != 101) return "the status is not 101";
  if (!base::list_has_token(fields.joined("upgrade"), "websocket")) return "no Upgrade: websocket";
  if (!base::list_has_token(fields.joined("connection"), "upgrade")) return "no Connection: Upgrade";
  if (fields.count("sec-websocket-accept") != 1) return "not exactly one Sec-WebSocket-Accept";
  if (fields.first("sec-websocket-accept") != expected_accept) return "a wrong Sec-WebSocket-Accept";
  if (fields.count("sec-websocket-extensions") > 0) return "an extension that was not offered";
  const std::size_t subprotocols = fields.count("sec-websocket-protocol");
  if (subprotocols > 1) return "more than one subprotocol";
  if (subprotocols == 0) return {};
  const std::string_view subprotocol = fields.first("sec-websocket-protocol");
  if (!base::is_token(subprotocol) || !was_offered(subprotocol, offered_subprotocols)) {
    return "a subprotocol that was not offered";
  }
  return {};
}

std::string upgrade_response(const ResponseHead& app, std::string_view extension_answer) {
  const HopByHop hop_by_hop{app.fields};
  HeadWriter writer;
  writer.first_line("HTTP/1.1 101 Switching Protocols");
  writer.field("Connection", "Upgrade").field("Upgrade", "websocket");
  for (const Field& field : app.fields.all()) {
    if (ends_at_proxy(field.name) || hop_by_hop.covers(field.name)) continue;
    writer.field(field.name, field.value);
  }
  if (!extension_answer.empty()) writer.field("Sec-WebSocket-Extensions", extension_answer);
  return std::move(writer).finish();
}

}  // namespace wsproxy::http
