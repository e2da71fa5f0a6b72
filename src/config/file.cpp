#include "config/file.hpp"

#include <cerrno>
#include <cstdio>
#include <memory>

#include <system_error>

namespace wsproxy::config {
namespace {

Parsed<std::string> system_problem(int code) {
  return Parsed<std::string>::wrong("cannot be read: " + std::system_category().message(code));
}

}  // namespace

Parsed<std::string> read_file(const std::string& path, std::size_t most_bytes) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "rbe"), std::fclose};
  if (!file) return system_problem(errno);
  std::string text(most_bytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return system_problem(errno);
  if (text.size() > most_bytes)
    return Parsed<std::string>::wrong("is larger than " + std::to_string(most_bytes) + " bytes");
  return text;
}

}  // namespace wsproxy::config
