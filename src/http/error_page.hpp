#pragma once

#include <string>
#include <string_view>

namespace wsproxy::http {

/// A whole answer of our own: status line, Connection: close, text/plain with one sentence. Adds
/// `extra_headers` (each ending in CRLF). 426 also says Upgrade: websocket and Sec-WebSocket-Version: 13.
std::string error_page(unsigned status, std::string_view sentence, std::string_view extra_headers = {});

/// A whole answer of our own that says 200 and nothing else; Connection: close.
std::string empty_answer();

/// "Bad Gateway" for 502; "Error" for what it does not know.
std::string_view reason_phrase(unsigned status);

}  // namespace wsproxy::http
