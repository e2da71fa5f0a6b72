#include "server/crash_directory.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>

namespace wsproxy::server {
namespace {

std::string system_problem() {
  return std::generic_category().message(errno);
}

struct Closing {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

}  // namespace

CrashDirectory::CrashDirectory(const std::string& path) {
  if (path.empty()) return;
  if (::mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    problem_ = system_problem();
    return;
  }
  net::Descriptor folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  struct stat facts {};
  if (!folder.is_open() || ::fstat(folder.number(), &facts) != 0) {
    is_unsafe_ = errno == ELOOP || errno == ENOTDIR;
    problem_ = is_unsafe_ ? "it is no folder" : system_problem();
  } else if (facts.st_uid != ::geteuid()) {
    is_unsafe_ = true;
    problem_ = "it is another user's";
  } else if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    is_unsafe_ = true;
    problem_ = "others have access to it; its mode must be 0700";
  } else {
    folder_ = std::move(folder);
  }
}

std::vector<std::string> CrashDirectory::files() const {
  std::vector<std::string> names;
  if (!is_open()) return names;
  // A descriptor of its own: this one ends with the reading.
  const int again = ::openat(folder_.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (again < 0) return names;
  const std::unique_ptr<DIR, Closing> folder{::fdopendir(again)};
  if (!folder) return names;
  while (const dirent* entry = ::readdir(folder.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string name = entry->d_name;
    if (name.starts_with("crash-") && name.ends_with(".json")) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

std::optional<std::string> CrashDirectory::read(const std::string& name) const {
  const net::Descriptor file{
      ::openat(folder_.number(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  struct stat facts {};
  if (!file.is_open() || ::fstat(file.number(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
  if (facts.st_uid != ::geteuid() || facts.st_size > static_cast<off_t>(kMaxFileBytes)) return std::nullopt;
  std::string text(static_cast<std::size_t>(facts.st_size), '\0');
  const ssize_t size = ::read(file.number(), text.data(), text.size());
  if (size < 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(size));
  return text;
}

void CrashDirectory::remove(const std::string& name) const {
  ::unlinkat(folder_.number(), name.c_str(), 0);
}

std::string CrashDirectory::file_name() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto count = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  return fmt::format("crash-{:020}-{}.json", count, ::getpid());
}

}  // namespace wsproxy::server
