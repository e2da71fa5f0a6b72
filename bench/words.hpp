#pragma once

#include <span>
#include <string_view>

namespace bench {

/// English words as people use them in chat, most used first.
std::span<const std::string_view> words();
/// What people say again and again, most used first.
std::span<const std::string_view> phrases();
std::span<const std::string_view> first_names();
std::span<const std::string_view> last_names();

}  // namespace bench
