#pragma once

#include <string>
#include <vector>

namespace wsproxy::http {

/// What a verified client's certificate says of it. The names are the certificate's, which may hold any
/// bytes.
struct ClientCertificate {
  std::string fingerprint;  // SHA-256 of the certificate, in lower-case hexadecimal
  std::string subject;      // as RFC 2253 writes it
  std::vector<std::string> uris;
  std::vector<std::string> dns_names;
};

/// The element of X-Forwarded-Client-Cert for it, as Envoy writes it: Hash, Subject, URI and DNS. A name with
/// a character that no URI or host name has is left out, since an app might take it for something else.
std::string client_cert_element(const ClientCertificate& certificate);

}  // namespace wsproxy::http
