#include "http/upgrade.hpp"

#include <algorithm>
#include <array>

#include "base/ascii.hpp"
#include "http/head_writer.hpp"
#include "http/request_target.hpp"

namespace wsproxy::http {
namespace {

/// Of the client's address and of what the last proxy saw of it.
constexpr std::string_view kForwardedFor = "X-Forwarded-For";
constexpr std::string_view kForwardedProto = "X-Forwarded-Proto";
constexpr std::string_view kForwardedHost = "X-Forwarded-Host";
constexpr std::string_view kRequestId = "X-Request-Id";

/// Apps behind CGI-like interfaces cannot tell X_Forwarded_For from X-Forwarded-For.
std::string with_dashes(std::string_view name) {
  std::string result = base::to_lower(name);
  std::replace(result.begin(), result.end(), '_', '-');
  return result;
}

/// What only a trusted peer may say: where the request came from.
bool is_about_origin(std::string_view name) {
  const std::string plain = with_dashes(name);
  return plain.starts_with("x-forwarded-") || plain == "forwarded" || plain == "x-request-id";
}

/// What upgrade_request() writes itself, from the client's value when that is kept.
bool is_written_here(std::string_view name) {
  constexpr std::array<std::string_view, 4> kNames = {kForwardedFor, kForwardedProto, kForwardedHost,
                                                      kRequestId};
  return std::any_of(kNames.begin(), kNames.end(), [name](auto one) { return base::iequals(one, name); });
}

/// A handshake has no body (Content-Length would make the app read our frames as one), and extensions
/// are this proxy's own business with the client.
bool ends_at_proxy(std::string_view name) {
  return base::iequals(name, "sec-websocket-extensions") || base::iequals(name, "content-length");
}

std::string request_line(const RequestHead& client, std::string_view base_path, std::string_view path) {
  if (base_path.ends_with('/')) base_path.remove_suffix(1);
  std::string line = client.method + " ";
  line += base_path;
  if (!path.starts_with('/')) line += '/';
  line += path;
  line += " HTTP/1.1";
  return line;
}

class ForwardedFields {
 public:
  ForwardedFields(const RequestHead& client, const ForwardedFacts& facts) : client_(client), facts_(facts) {}

  std::string chain() const {
    std::string result = kept(kForwardedFor);
    if (!result.empty() && !facts_.peer.empty()) result += ", ";
    result += facts_.peer;
    return result;
  }
  std::string proto() const {
    return first_of(kept(kForwardedProto), facts_.scheme == "wss" ? "https" : "http");
  }
  std::string host(std::string_view host) const { return first_of(kept(kForwardedHost), host); }
  std::string request_id() const { return first_of(kept(kRequestId), facts_.request_id); }

 private:
  std::string kept(std::string_view name) const {
    return facts_.keep_incoming ? client_.fields.joined(name) : std::string{};
  }
  static std::string first_of(const std::string& kept, std::string_view otherwise) {
    return kept.empty() ? std::string{otherwise} : kept;
  }

  const RequestHead& client_;
  const ForwardedFacts& facts_;
};

void write_unless_empty(HeadWriter& writer, std::string_view name, std::string_view value) {
  if (!value.empty()) writer.field(name, value);
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
  const TargetParts target = split_target(client.target);
  // RFC 9112 section 3.2.2: the host of a whole URL counts, not the Host line.
  const std::string_view host = target.authority.empty() ? client.fields.first("host") : target.authority;
  const HopByHop hop_by_hop{client.fields};
  HeadWriter writer;
  writer.first_line(request_line(client, facts.base_path, target.path));
  for (const Field& field : client.fields.all()) {
    const bool untrusted = is_about_origin(field.name) && !facts.keep_incoming;
    if (untrusted || is_written_here(field.name) || ends_at_proxy(field.name)) continue;
    if (hop_by_hop.covers(field.name)) continue;
    writer.field(field.name, base::iequals(field.name, "host") ? host : std::string_view{field.value});
  }
  writer.field("Connection", "Upgrade").field("Upgrade", "websocket");
  const ForwardedFields forwarded{client, facts};
  write_unless_empty(writer, kForwardedFor, forwarded.chain());
  write_unless_empty(writer, kForwardedProto, forwarded.proto());
  write_unless_empty(writer, kForwardedHost, forwarded.host(host));
  write_unless_empty(writer, kRequestId, forwarded.request_id());
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
  write_unless_empty(writer, "Sec-WebSocket-Extensions", extension_answer);
  return std::move(writer).finish();
}

}  // namespace wsproxy::http
