#include "http/client_certificate.hpp"

#include <algorithm>
#include <string_view>

namespace wsproxy::http {
namespace {

constexpr std::size_t kMostBytes = 8192;  // apps take heads of 8 or 16 KB

bool is_visible(char c) {
  return c > ' ' && c < '\x7F';
}

/// RFC 3986 has neither of these inside a URI, and they are what elements are cut at by a careless reader.
bool is_plain_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, is_visible) && name.find_first_of("\"\\") == name.npos;
}

std::string in_quotes(std::string_view value) {
  std::string result = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') result += '\\';
    result += is_visible(c) || c == ' ' ? c : '?';
  }
  return result + '"';
}

/// Envoy puts what separates pairs and elements in quotes. What makes the element too long is left out.
void add(std::string& to, std::string_view key, std::string_view value) {
  if (to.size() + value.size() > kMostBytes) return;
  to += ';';
  to += key;
  to += '=';
  to += value.find_first_of(",;=") == value.npos ? std::string{value} : in_quotes(value);
}

}  // namespace

std::string client_cert_element(const ClientCertificate& certificate) {
  std::string result = "Hash=" + certificate.fingerprint;
  result += ";Subject=" + in_quotes(certificate.subject);
  for (const std::string& uri : certificate.uris) {
    if (is_plain_name(uri)) add(result, "URI", uri);
  }
  for (const std::string& name : certificate.dns_names) {
    if (is_plain_name(name)) add(result, "DNS", name);
  }
  return result;
}

}  // namespace wsproxy::http
