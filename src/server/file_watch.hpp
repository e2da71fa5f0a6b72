#pragma once

#include <functional>
#include <string>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "net/types.hpp"

namespace wsproxy::server {

/// Tells when files may have changed, by whatever way: written, renamed over (editors), or behind a link that
/// points elsewhere now (the ..data of a mounted ConfigMap or Secret, which the kubelet swaps). It watches
/// the folders that they are in, and those of the links on the way; what else happens there is no change.
/// What happens within kQuiet is one change. On the loop's thread. Without inotify it never tells.
class FileWatch {
 public:
  static constexpr auto kQuiet = std::chrono::milliseconds{100};
  /// In a folder that is never quiet.
  static constexpr auto kLongest = std::chrono::seconds{1};
  static constexpr auto kNowAndThen = std::chrono::minutes{1};

  /// What the kernel knows of files: a difference is a change.
  using Stamps = std::vector<std::string>;
  static Stamps stamps_of(const std::vector<std::string>& files);

  FileWatch(net::IoContext& io, std::vector<std::string> files, std::function<void()> on_change);
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  /// A change from now on is told, once start() has come; false when only a look now and then will find it.
  bool watch();
  void start();
  void stop();
  /// Others, from now on; a difference from how they were is a change.
  void set_files(std::vector<std::string> files, Stamps before);

 private:
  void watch_folders();
  void wait();
  /// Reads what has happened; it does not matter what.
  bool drain();
  void settle();
  void look_now_and_then();
  void look();

  std::vector<std::string> files_;
  Stamps stamps_;
  std::function<void()> on_change_;
  boost::asio::posix::basic_stream_descriptor<net::Executor> inotify_;
  net::Timer quiet_;
  net::Timer now_and_then_;
  bool has_started_ = false;
  bool is_settling_ = false;
  net::Clock::time_point look_by_{};
};

}  // namespace wsproxy::server
