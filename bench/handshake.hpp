#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bench {

/// The value of a header of a request or response head, or nothing.
std::optional<std::string> header_value(std::string_view head, std::string_view name);

/// Sec-WebSocket-Accept for a key (RFC 6455 section 4.2.2).
std::string accept_key(std::string_view key);

std::string upgrade_request(std::string_view path, std::string_view offer);
/// The answer's Sec-WebSocket-Extensions; throws when the head is a refusal or wrong.
std::string check_upgraded(std::string_view head);

}  // namespace bench
