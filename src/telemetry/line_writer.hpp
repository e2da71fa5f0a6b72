#pragma once

#include <atomic>
#include <chrono>
#include <string_view>

namespace wsproxy::telemetry {

/// Whole lines to a descriptor that may be slow, stuck or closed. Waits in poll only, so that a
/// reader that stopped can hold the log's thread but never the end of the process.
class LineWriter {
 public:
  /// `fd` stays the caller's and must outlive this.
  explicit LineWriter(int fd);
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  /// One thread at a time. Adds the line break. What cannot be written is dropped.
  void write(std::string_view line);

  /// From any thread: from now on, do not wait longer than this altogether.
  void give_up_after(std::chrono::steady_clock::duration patience);

 private:
  bool wait_until_writable() const;

  bool is_ours_;  // opened by the constructor
  int fd_;
  std::atomic<std::chrono::steady_clock::time_point> deadline_{std::chrono::steady_clock::time_point::max()};
};

}  // namespace wsproxy::telemetry
