#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wsproxy::deflate {

/// One element of Sec-WebSocket-Extensions (RFC 6455 section 9.1): grammar only, no decisions.
struct Extension {
  struct Parameter {
    std::string name;
    std::optional<std::string> value;  // unquoted
  };
  std::string name;
  std::vector<Parameter> parameters;
};

/// The elements in order, from a header's value (several lines joined by commas); nothing when it does not
/// follow the grammar. Quoted values must be tokens after unquoting, as the RFC asks. Bounded: 64 extensions
/// of 16 parameters each.
std::optional<std::vector<Extension>> parse_extensions(std::string_view header);

}  // namespace wsproxy::deflate
