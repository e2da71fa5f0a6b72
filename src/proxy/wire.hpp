#pragma once

#include <memory>

#include "net/transport.hpp"
#include "net/write_queue.hpp"

namespace wsproxy::proxy {

/// One of the two sockets of a session and what could not be written to it yet.
struct Wire {
  std::unique_ptr<net::Transport> transport;  // the app's: only once connected
  net::WriteQueue queue;

  bool is_open() const { return transport && transport->is_open(); }
};

}  // namespace wsproxy::proxy
