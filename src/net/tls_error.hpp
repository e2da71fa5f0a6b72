#pragma once

#include "net/types.hpp"

namespace wsproxy::net {

/// How reading or writing under TLS fails where the socket itself did not.
enum class TlsError : std::uint8_t {
  truncated = 1,  // an end without close_notify, which anybody on the way could have made
  failed,         // the peer broke the protocol or sent an alert
};

error_code make_error_code(TlsError error);

}  // namespace wsproxy::net
