#include "cli/transcript.hpp"

#include <algorithm>

namespace wsproxy::cli {

std::string head_lines(std::string_view head) {
  std::string result;
  while (!head.empty()) {
    const std::size_t end = std::min(head.find("\r\n"), head.size());
    if (end > 0) result.append("< ").append(head.substr(0, end)).append("\n");
    head.remove_prefix(std::min(end + 2, head.size()));
  }
  return result;
}

std::string binary_line(base::Bytes message) {
  constexpr std::size_t kShown = 32;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result = "binary, " + std::to_string(message.size()) + " bytes:";
  for (const std::byte byte : message.first(std::min(message.size(), kShown))) {
    const auto value = std::to_integer<std::size_t>(byte);
    result += {' ', kDigits[value >> 4], kDigits[value & 15]};
  }
  result += message.size() > kShown ? " ...\n" : "\n";
  return result;
}

std::string closed_line(std::uint16_t code, std::string_view reason) {
  std::string result = "closed: " + std::to_string(code == 0 ? 1005 : code);
  if (!reason.empty()) result.append(" ").append(reason);
  return result + "\n";
}

}  // namespace wsproxy::cli
