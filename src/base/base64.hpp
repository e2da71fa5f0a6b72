#pragma once

#include <string>

#include "base/bytes.hpp"

namespace wsproxy::base {

/// RFC 4648 section 4, with padding.
std::string base64_encode(Bytes bytes);

}  // namespace wsproxy::base
