#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>

#include <boost/asio/io_context.hpp>

namespace wsproxy::cli {

/// Lines of standard input, read by a thread of their own: a terminal that is made non-blocking would
/// stay so for the shell, and a file cannot be waited for.
class StdinLines {
 public:
  /// Gets each line without its line end on `io`'s thread, and nothing after the last one.
  using OnLine = std::function<void(std::optional<std::string>)>;

  /// The thread may outlive everything else, waiting for a line that never comes; hence `io` is shared.
  void start(std::shared_ptr<boost::asio::io_context> io, OnLine on_line);
  /// To be called once for each line: no more than kMaxWaiting are handed out without it.
  void done_with_line() { room_->release(); }

  static constexpr int kMaxWaiting = 64;

 private:
  using Room = std::counting_semaphore<kMaxWaiting>;
  std::shared_ptr<Room> room_ = std::make_shared<Room>(kMaxWaiting);
};

}  // namespace wsproxy::cli
