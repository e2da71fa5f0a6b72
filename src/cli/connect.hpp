#pragma once

#include <optional>
#include <string>

namespace wsproxy::cli {

/// A client for people: prints the handshake's headers, sends the lines of stdin as text, prints what
/// comes. 0 after an orderly close, 1 when it could not connect or was cut. With a message it sends just
/// that, and 1 is also for no answer within ten seconds: a round trip for scripts.
int connect(const std::string& url, const std::optional<std::string>& message);

}  // namespace wsproxy::cli
