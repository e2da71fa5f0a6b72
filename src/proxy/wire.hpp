#pragma once

#include <optional>

#include "net/transport.hpp"
#include "net/write_queue.hpp"

namespace wsproxy::proxy {

/// One of the two sockets of a session (of a client or an app leg) and what waits on it.
struct Wire {
  std::optional<net::Transport> transport;  // the app's: only once connected
  net::WriteQueue queue;
  bool waits_readable = false;
  bool waits_writable = false;

  bool is_open() const { return transport && transport->is_open(); }
};

}  // namespace wsproxy::proxy
