#include "config/environment.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/ascii.hpp"

namespace wsproxy::config {
namespace {

bool is_name(std::string_view text) {
  const auto is_name_char = [](char c) { return base::is_letter(c) || base::is_digit(c) || c == '_'; };
  return !text.empty() && !base::is_digit(text.front()) &&
         std::all_of(text.begin(), text.end(), is_name_char);
}

/// The value of what stands between ${ and }.
Expansion look_up(std::string_view reference, const Environment& environment) {
  const auto dash = reference.find(":-");
  const std::string name{reference.substr(0, dash)};
  if (!is_name(name)) {
    return {
        {},
        "\"${" + std::string{reference} + "}\" is not ${NAME} or ${NAME:-default}; write $$ for a dollar"};
  }
  const auto value = environment(name);
  if (dash != std::string_view::npos) {
    if (value && !value->empty()) return {*value, {}};
    return {std::string{reference.substr(dash + 2)}, {}};
  }
  if (!value) {
    return {{}, "the environment variable " + name + " is not set, set it or write ${" + name + ":-default}"};
  }
  return {*value, {}};
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

Expansion expand(std::string_view text, const Environment& environment) {
  Expansion result;
  while (!text.empty()) {
    const auto dollar = text.find('$');
    result.text += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      result.text += '$';
      text.remove_prefix(1);
    } else if (text.starts_with('{')) {
      const auto end = text.find('}');
      if (end == std::string_view::npos) return {{}, "\"${\" has no closing brace; write $$ for a dollar"};
      const auto value = look_up(text.substr(1, end - 1), environment);
      if (!value.problem.empty()) return value;
      result.text += value.text;
      text.remove_prefix(end + 1);
    } else {
      result.text += '$';
    }
  }
  return result;
}

std::string escape_dollars(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == '$' ? std::string{"$$"} : std::string{c};
  return escaped;
}

}  // namespace wsproxy::config
