#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace wsproxy::base {

std::string base64_encode(Bytes bytes);
/// Strict RFC 4648 section 4: padding required, no white space, unused bits zero.
std::optional<std::vector<std::byte>> base64_decode(std::string_view text);

}  // namespace wsproxy::base
