#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/descriptor.hpp"

namespace wsproxy::server {

/// Where a crash is kept until the next start: a folder that nobody else may write to, or else files of
/// others would be told as our crashes, and ours be written through their links.
class CrashDirectory {
 public:
  /// Of older ones that could not be sent the oldest are removed.
  static constexpr std::size_t kMostKept = 5;
  static constexpr std::size_t kMaxFileBytes = 64 * 1024;

  /// Makes the folder unless it is there. problem() tells why it cannot be used.
  explicit CrashDirectory(const std::string& path);

  bool is_open() const { return folder_.is_open(); }
  /// Whether there is a folder, and it is not safe.
  bool is_unsafe() const { return is_unsafe_; }
  const std::string& problem() const { return problem_; }
  int number() const { return folder_.number(); }

  /// Names of the crashes that are kept, oldest first.
  std::vector<std::string> files() const;
  /// Nothing when it is no file of ours.
  std::optional<std::string> read(const std::string& name) const;
  void remove(const std::string& name) const;

  /// What this process would leave; no other has the name.
  static std::string file_name();

 private:
  net::Descriptor folder_;
  std::string problem_;
  bool is_unsafe_ = false;
};

}  // namespace wsproxy::server
