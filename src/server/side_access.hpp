#pragma once

#include <string_view>

#include "config/config.hpp"
#include "server/side_request.hpp"

namespace wsproxy::server {

/// Whether a Host field has an address or localhost in it, or nothing. Any other name may be one of somebody
/// who lets it lead here from a browser (DNS rebinding), and no request of a page to such a name need have a
/// field that gives it away.
bool is_asked_by_address(std::string_view host);

/// Whether this request may change the state of the process (admin.drain). `is_hook`: it asks for what a
/// preStop hook asks for by GET, which is all that the kubelet can send, and from the node's address. A
/// browser's page never may: whoever can open one could have it sent.
bool may_command(config::AdminDrain rule, const SideRequest& request, bool is_hook);

}  // namespace wsproxy::server
