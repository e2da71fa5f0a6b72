#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wsproxy::net {

/// What is wrong with a file or setting of TLS, for the operator.
struct TlsProblem {
  enum class Kind : std::uint8_t {
    broken,   // cannot be used
    expired,  // can, but no peer will accept it
    exposed,  // works, but is not as safe as it should be
  };
  Kind kind;
  std::string key;   // in the configuration
  std::string text;  // worded to follow the key
};

using TlsProblems = std::vector<TlsProblem>;

}  // namespace wsproxy::net
