#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace wsproxy::config {

/// RFC 6454 section 4: what a browser says a page came from. Views into the text that was parsed.
struct Origin {
  std::string_view scheme;
  std::string_view
      host;  // an IPv6 address with its brackets; of a pattern what follows the star: .example.org
  std::uint16_t port = 0;  // that of the scheme when none is given; 0: an unknown scheme
  bool is_pattern = false;
};

/// scheme://host[:port] and nothing else; with `may_be_pattern` the host may begin with `*.`
/// Allocates nothing for what has no IPv6 address.
std::optional<Origin> parse_origin(std::string_view text, bool may_be_pattern);

/// Whether both are the same origin (RFC 6454 section 5), or `origin` is below the pattern `allowed`.
bool covers(const Origin& allowed, const Origin& origin);

}  // namespace wsproxy::config
