#pragma once

#include <cstddef>
#include <cstdint>

#include "net/types.hpp"

namespace wsproxy::net {

enum class IoStatus : std::uint8_t {
  done,         // `bytes` were moved, at least one
  would_block,  // wait for readiness and try again
  end_of_file,  // reading only
  failed,       // `error` says why; the transport is dead
};

struct IoResult {
  IoStatus status = IoStatus::done;
  std::size_t bytes = 0;
  error_code error;
};

}  // namespace wsproxy::net
