#include "server/file_watch.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>

namespace wsproxy::server {
namespace {

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                                  IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr int kMostLinks = 16;

/// The folders in which a step of the way to a file can change: the one that it is named in, and that of each
/// link's target.
void add_folders(const std::string& file, std::set<std::string>& folders) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::path path = fs::absolute(file, error);
  for (int links = 0; !error && links < kMostLinks; ++links) {
    // A link may be any part of the path: /tls/tls.crt -> ..data/tls.crt, and ..data -> ..2026_1.
    fs::path walked;
    fs::path target;
    for (const fs::path& part : path) {
      walked /= part;
      if (target.empty() && fs::is_symlink(walked, error)) {
        folders.insert(walked.parent_path());
        target = (walked.parent_path() / fs::read_symlink(walked, error));
        walked = target;
      }
    }
    if (target.empty()) {
      // And the one around it, in which it may be replaced.
      folders.insert(path.parent_path());
      folders.insert(path.parent_path().parent_path());
      return;
    }
    path = walked.lexically_normal();
  }
}

}  // namespace

FileWatch::FileWatch(net::IoContext& io, std::vector<std::string> files, std::function<void()> on_change)
    : files_(std::move(files)),
      on_change_(std::move(on_change)),
      inotify_(io.get_executor()),
      quiet_(io.get_executor()),
      now_and_then_(io.get_executor()) {
}

bool FileWatch::watch() {
  if (files_.empty()) return true;
  const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor >= 0) {
    inotify_.assign(descriptor);
    watch_folders();
  }
  stamps_ = stamps_of(files_);
  return descriptor >= 0;
}

void FileWatch::start() {
  if (files_.empty() || std::exchange(has_started_, true)) return;
  if (inotify_.is_open()) wait();
  look_now_and_then();
}

void FileWatch::look_now_and_then() {
  now_and_then_.expires_after(kNowAndThen);
  now_and_then_.async_wait([this](const net::error_code& error) {
    if (error) return;
    look_now_and_then();
    look();
  });
}

void FileWatch::set_files(std::vector<std::string> files, Stamps before) {
  files_ = std::move(files);
  if (inotify_.is_open()) {
    watch_folders();
  } else {
    watch();
    if (has_started_ && inotify_.is_open()) wait();
  }
  stamps_ = std::move(before);
  start();
  if (stamps_of(files_) != stamps_) settle();
}

void FileWatch::stop() {
  net::error_code ignored;
  if (inotify_.is_open()) inotify_.close(ignored);
  quiet_.cancel();
  now_and_then_.cancel();
}

void FileWatch::watch_folders() {
  std::set<std::string> folders;
  for (const std::string& file : files_) add_folders(file, folders);
  // A folder that is watched already stays so under its number; one that is gone takes its watch along.
  for (const std::string& folder : folders) {
    ::inotify_add_watch(inotify_.native_handle(), folder.c_str(), kEvents | IN_ONLYDIR);
  }
}

void FileWatch::wait() {
  inotify_.async_wait(boost::asio::posix::descriptor_base::wait_read, [this](const net::error_code& error) {
    if (error || !inotify_.is_open()) return;
    const bool has_happened = drain();
    wait();
    if (has_happened) settle();
  });
}

bool FileWatch::drain() {
  std::array<char, 4096> events{};
  bool any = false;
  while (::read(inotify_.native_handle(), events.data(), events.size()) > 0) any = true;
  return any;
}

void FileWatch::settle() {
  const auto now = net::Clock::now();
  if (!is_settling_) look_by_ = now + kLongest;
  is_settling_ = true;
  quiet_.expires_at(std::min<net::Clock::time_point>(now + kQuiet, look_by_));  // cancels the wait before
  quiet_.async_wait([this](const net::error_code& error) {
    if (!error && inotify_.is_open()) look();
  });
}

void FileWatch::look() {
  is_settling_ = false;
  if (inotify_.is_open()) watch_folders();
  Stamps now = stamps_of(files_);
  if (now == stamps_) return;
  std::swap(stamps_, now);
  try {
    on_change_();  // may set other files
  } catch (...) {
    stamps_ = std::move(now);  // tried again with the next look
    throw;
  }
}

FileWatch::Stamps FileWatch::stamps_of(const std::vector<std::string>& files) {
  Stamps result;
  for (const std::string& file : files) {
    struct stat status {};
    const bool is_there = ::stat(file.c_str(), &status) == 0;
    result.push_back(is_there
                         ? fmt::format("{} {} {} {} {}.{:09}", status.st_dev, status.st_ino, status.st_mode,
                                       status.st_size, status.st_ctim.tv_sec, status.st_ctim.tv_nsec)
                         : std::string{});
  }
  return result;
}

}  // namespace wsproxy::server
