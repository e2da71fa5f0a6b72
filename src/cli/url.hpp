#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wsproxy::cli {

/// A ws, wss, http or https URL, taken apart for a client.
struct Url {
  std::string scheme;     // lower case
  std::string authority;  // for the Host header, as it stood
  std::string host;       // without brackets
  std::string port;       // the scheme's own when none was given
  std::string target;     // path and query; empty when the URL had neither
};

/// Nothing for what is no such URL, and for one with user information or a fragment.
std::optional<Url> parse_url(std::string_view text);

}  // namespace wsproxy::cli
