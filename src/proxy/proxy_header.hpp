#pragma once

#include <string>

namespace wsproxy::proxy {

class Session;

/// What upstream.proxy_protocol wants written ahead of everything else on a fresh connection to the app:
/// the header that names the client and what it reached. Empty when it is off.
std::string proxy_header_for(Session& session);

}  // namespace wsproxy::proxy
