#pragma once

#include <string>
#include <string_view>

#include "http/head_writer.hpp"
#include "http/request_head.hpp"

namespace wsproxy::http {

/// What the proxy knows and the app should learn about a request. The views are the caller's.
struct ForwardedFacts {
  std::string_view peer;  // the client's address without port, IPv6 without brackets; empty for a unix socket
  std::string_view scheme;              // "ws"/"wss" or "http"/"https"; told as http/https
  std::string_view port;                // of the listener that the client reached; empty for a unix socket
  std::string_view base_path;           // of upstream.url, put before the target
  std::string_view request_id;          // fresh; used unless the client's own is kept
  std::string_view upstream_host;       // the Host that the app sees; empty: the client's
  std::string_view upstream_authority;  // the Host that the app sees when the client has none (HTTP/1.0)
  std::string_view client_cert;  // of a client that has shown who it is: see client_cert_element(); or empty
  bool keep_incoming = false;    // the peer is in headers.trusted_proxies: what it says of the origin stays
};

/// Whether a field says where a request came from, as only this proxy or a trusted one may: also one that
/// an app behind a CGI-like interface cannot tell from it, X_Forwarded_For.
bool is_about_origin(std::string_view name);

/// The fields that tell an app where a request came from: X-Forwarded-For, -Proto, -Host and -Port,
/// Forwarded (RFC 7239), X-Request-Id and X-Forwarded-Client-Cert. What the client brought of them is
/// dropped, unless its peer is trusted: then For, Forwarded and Client-Cert are appended to, and the others
/// stay as they are. Lives no longer than what it was made of.
class ForwardedFields {
 public:
  ForwardedFields(const RequestHead& client, const ForwardedFacts& facts);

  /// Whether the client's field of that name does not go on as it is.
  bool replaces(std::string_view name) const;
  /// The Host that the app sees.
  std::string_view host() const;
  void write(HeadWriter& writer) const;

 private:
  std::string chain() const;
  std::string client_certs() const;
  std::string element() const;
  std::string proto() const;
  std::string port() const;
  std::string kept(std::string_view name) const;
  std::string kept_or(std::string_view name, std::string_view otherwise) const;

  const RequestHead& client_;
  const ForwardedFacts& facts_;
  std::string_view client_host_;  // what the client asked for
};

}  // namespace wsproxy::http
