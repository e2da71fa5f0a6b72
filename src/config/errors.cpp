#include "config/errors.hpp"

namespace wsproxy::config {

std::string Error::text() const {
  std::string text = file;
  if (line > 0) text += ":" + std::to_string(line) + ":" + std::to_string(column);
  if (!text.empty()) text += ": ";
  if (!key.empty()) text += key + ": ";
  return text + problem;
}

}  // namespace wsproxy::config
