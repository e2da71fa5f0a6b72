#include "http/forwarded.hpp"

#include <algorithm>
#include <array>

#include "base/ascii.hpp"
#include "http/request_target.hpp"

namespace wsproxy::http {
namespace {

constexpr std::string_view kForwarded = "Forwarded";
constexpr std::string_view kForwardedFor = "X-Forwarded-For";
constexpr std::string_view kForwardedProto = "X-Forwarded-Proto";
constexpr std::string_view kForwardedHost = "X-Forwarded-Host";
constexpr std::string_view kForwardedPort = "X-Forwarded-Port";
constexpr std::string_view kClientCert = "X-Forwarded-Client-Cert";
constexpr std::string_view kRequestId = "X-Request-Id";
constexpr std::string_view kAllForwarded = "x-forwarded-";

/// What write() writes itself, from the client's value when that is kept.
bool is_written_here(std::string_view name) {
  constexpr std::array<std::string_view, 7> kNames = {
      kForwardedFor, kForwardedProto, kForwardedHost, kForwardedPort, kForwarded, kRequestId, kClientCert};
  return std::any_of(kNames.begin(), kNames.end(), [name](auto one) { return base::iequals(one, name); });
}

bool equals_with_dashes(std::string_view name, std::string_view lower) {
  return std::equal(name.begin(), name.end(), lower.begin(), lower.end(),
                    [](char x, char y) { return (x == '_' ? '-' : base::to_lower(x)) == y; });
}

/// RFC 7239 section 4: a value that is no token stands in quotes.
std::string quoted(std::string_view value) {
  if (base::is_token(value)) return std::string{value};
  std::string result = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

/// RFC 7239 section 6: IPv6 in brackets and quotes.
std::string node(std::string_view address) {
  if (address.empty()) return "unknown";
  if (address.find(':') == std::string_view::npos) return quoted(address);
  return quoted("[" + std::string{address} + "]");
}

void write_unless_empty(HeadWriter& writer, std::string_view name, std::string_view value) {
  if (!value.empty()) writer.field(name, value);
}

}  // namespace

bool is_about_origin(std::string_view name) {
  if (equals_with_dashes(name.substr(0, kAllForwarded.size()), kAllForwarded)) return true;
  return equals_with_dashes(name, "forwarded") || equals_with_dashes(name, "x-request-id");
}

ForwardedFields::ForwardedFields(const RequestHead& client, const ForwardedFacts& facts)
    : client_(client), facts_(facts) {
  // RFC 9112 section 3.2.2: the host of a whole URL counts, not the Host line.
  client_host_ = split_target(client.target).authority;
  if (client_host_.empty()) client_host_ = client.fields.first("host");
}

bool ForwardedFields::replaces(std::string_view name) const {
  if (name.empty() || (base::to_lower(name.front()) != 'x' && base::to_lower(name.front()) != 'f'))
    return false;
  if (is_written_here(name)) return true;
  // Even a trusted proxy may have let an underscore pass unseen.
  const bool has_underscores = name.find('_') != std::string_view::npos;
  return (!facts_.keep_incoming || has_underscores) && is_about_origin(name);
}

std::string_view ForwardedFields::host() const {
  if (!facts_.upstream_host.empty()) return facts_.upstream_host;
  const bool has_none = client_host_.empty() && client_.fields.count("host") == 0;
  return has_none ? facts_.upstream_authority : client_host_;
}

void ForwardedFields::write(HeadWriter& writer) const {
  write_unless_empty(writer, kForwardedFor, chain());
  write_unless_empty(writer, kForwardedProto, kept_or(kForwardedProto, proto()));
  write_unless_empty(writer, kForwardedHost, kept_or(kForwardedHost, client_host_));
  write_unless_empty(writer, kForwardedPort, port());
  const std::string before = kept(kForwarded);
  writer.field(kForwarded, before.empty() ? element() : before + ", " + element());
  write_unless_empty(writer, kClientCert, client_certs());
  write_unless_empty(writer, kRequestId, kept_or(kRequestId, facts_.request_id));
}

std::string ForwardedFields::chain() const {
  std::string result = kept(kForwardedFor);
  if (!result.empty() && !facts_.peer.empty()) result += ", ";
  result += facts_.peer;
  return result;
}

std::string ForwardedFields::client_certs() const {
  std::string result = kept(kClientCert);
  if (!result.empty() && !facts_.client_cert.empty()) result += ',';
  result += facts_.client_cert;
  return result;
}

std::string ForwardedFields::element() const {
  std::string result = "for=" + node(facts_.peer);
  if (!client_host_.empty()) result += ";host=" + quoted(client_host_);
  return result + ";proto=" + proto();
}

std::string ForwardedFields::proto() const {
  return facts_.scheme == "wss" || facts_.scheme == "https" ? "https" : "http";
}

std::string ForwardedFields::port() const {
  // The port of this listener would not go with another proxy's scheme and host.
  const bool speaks_for_client = !kept(kForwardedProto).empty() || !kept(kForwardedHost).empty();
  return kept_or(kForwardedPort, speaks_for_client ? std::string_view{} : facts_.port);
}

std::string ForwardedFields::kept(std::string_view name) const {
  return facts_.keep_incoming ? client_.fields.joined(name) : std::string{};
}

std::string ForwardedFields::kept_or(std::string_view name, std::string_view otherwise) const {
  std::string result = kept(name);
  return result.empty() ? std::string{otherwise} : result;
}

}  // namespace wsproxy::http
