#pragma once

#include <string>

namespace wsproxy::cli {

/// A client for people: prints the handshake's headers, sends the lines of stdin as text, prints what
/// comes. 0 after an orderly close, 1 when it could not connect or was cut.
int connect(const std::string& url);

}  // namespace wsproxy::cli
