#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/parsed.hpp"

namespace wsproxy::config {

/// Where Sentry takes reports of a project, and as whom they are sent.
struct SentryDsn {
  bool tls = true;
  std::string host;  // an IPv6 address without brackets
  std::uint16_t port = 443;
  std::string prefix;  // ahead of /api; empty or with a slash in front and none at the end
  std::string project;
  std::string public_key;
  std::string secret_key;  // as DSNs had once; empty: none

  /// What reports are posted to.
  std::string target() const;
  /// For the header Host.
  std::string authority() const;
  /// As a report may carry it: without the secret key.
  std::string public_text() const;
};

/// https://KEY@HOST[:PORT][/PREFIX]/PROJECT, or http://. What is wrong is said without the value, which is a
/// secret.
Parsed<SentryDsn> parse_sentry_dsn(std::string_view text);

}  // namespace wsproxy::config
