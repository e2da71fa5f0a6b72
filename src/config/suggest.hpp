#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wsproxy::config {

/// The candidate that `word` was probably meant to be: the nearest by insertions, deletions,
/// substitutions and swaps of neighbours, when a third of the word or less had to change.
std::optional<std::string> suggest(std::string_view word, std::span<const std::string> candidates);

}  // namespace wsproxy::config
