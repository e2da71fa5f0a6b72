#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace wsproxy::config {

/// Looks a variable up; nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The variables of this process.
Environment process_environment();

/// A text after expansion, or what is wrong with it.
struct Expansion {
  std::string text;
  std::string problem;  // empty: good
};

/// Replaces ${NAME} and ${NAME:-default} (the default also stands for an empty variable, as in a shell)
/// and $$ by a dollar. Any other dollar stays. What a variable holds is not expanded again.
Expansion expand(std::string_view text, const Environment& environment);

/// Writes a text so that expand() gives it back.
std::string escape_dollars(std::string_view text);

}  // namespace wsproxy::config
