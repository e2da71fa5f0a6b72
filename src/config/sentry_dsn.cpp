#include "config/sentry_dsn.hpp"

#include <algorithm>

#include "config/address.hpp"

namespace wsproxy::config {
namespace {

/// Keys and projects go into a header and a request's target as they are.
bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
  });
}

/// Of what stands ahead of the project: empty, or words behind slashes.
bool is_prefix(std::string_view path) {
  while (!path.empty()) {
    if (!path.starts_with('/')) return false;
    path.remove_prefix(1);
    const std::string_view word = path.substr(0, path.find('/'));
    if (!is_word(word)) return false;
    path.remove_prefix(word.size());
  }
  return true;
}

}  // namespace

std::string SentryDsn::target() const {
  return prefix + "/api/" + project + "/envelope/";
}

std::string SentryDsn::authority() const {
  const bool has_usual_port = port == (tls ? 443 : 80);
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return has_usual_port ? name : name + ":" + std::to_string(port);
}

std::string SentryDsn::public_text() const {
  return (tls ? "https://" : "http://") + public_key + "@" + authority() + prefix + "/" + project;
}

Parsed<SentryDsn> parse_sentry_dsn(std::string_view text) {
  using Result = Parsed<SentryDsn>;
  SentryDsn dsn;
  dsn.tls = text.starts_with("https://");
  if (!dsn.tls && !text.starts_with("http://")) return Result::wrong("is no http(s) URL");
  text.remove_prefix(dsn.tls ? 8 : 7);

  const auto at = text.find('@');
  if (at == std::string_view::npos || at == 0) return Result::wrong("has no key");
  const std::string_view user = text.substr(0, at);
  const auto colon = user.find(':');
  dsn.public_key = user.substr(0, colon);
  if (colon != std::string_view::npos) dsn.secret_key = user.substr(colon + 1);
  if (!is_word(dsn.public_key) || (colon != std::string_view::npos && !is_word(dsn.secret_key))) {
    return Result::wrong("has a key that is no word");
  }
  text.remove_prefix(at + 1);

  const auto slash = text.find('/');
  const auto last = text.rfind('/');
  if (slash == std::string_view::npos || slash == 0 || last + 1 == text.size()) {
    return Result::wrong("has no host or no project");
  }
  dsn.prefix = text.substr(slash, last - slash);
  dsn.project = text.substr(last + 1);
  if (!is_prefix(dsn.prefix) || !is_word(dsn.project)) {
    return Result::wrong("has a path that is not of plain words");
  }
  const std::string_view authority = text.substr(0, slash);
  const auto url = parse_upstream_url((dsn.tls ? "wss://" : "ws://") + std::string{authority});
  if (!url) return Result::wrong(url.problem);
  dsn.host = url.value->host;
  dsn.port = url.value->port;
  return dsn;
}

}  // namespace wsproxy::config
