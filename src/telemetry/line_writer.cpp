#include "telemetry/line_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <unistd.h>

#include <climits>
#include <sys/stat.h>

namespace wsproxy::telemetry {

namespace {
constexpr int kPollMilliseconds = 100;  // how soon a waiting write notices a new deadline

/// What poll calls writable may still block a line: a terminal with little room, a pipe that another process
/// fills in between. So it is opened once more without blocking, which leaves those alone who share it. -1
/// for anything else, or when that fails.
int open_again(int fd) {
  struct stat kind {};
  const bool is_pipe = ::fstat(fd, &kind) == 0 && S_ISFIFO(kind.st_mode);
  if (!is_pipe && ::isatty(fd) == 0) return -1;
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}
}  // namespace

LineWriter::LineWriter(int fd) : is_ours_(false), fd_(fd) {
  const int again = open_again(fd);
  if (again < 0) return;
  is_ours_ = true;
  fd_ = again;
}

LineWriter::~LineWriter() {
  if (is_ours_) ::close(fd_);
}

void LineWriter::write(std::string_view line) {
  std::string text(line);
  text += '\n';
  std::string_view rest = text;
  while (!rest.empty() && wait_until_writable()) {
    // A writable pipe has room for PIPE_BUF bytes; more could block.
    const auto written = ::write(fd_, rest.data(), std::min<std::size_t>(rest.size(), PIPE_BUF));
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR && errno != EAGAIN) {
      return;
    }
  }
}

void LineWriter::give_up_after(std::chrono::steady_clock::duration patience) {
  deadline_ = std::chrono::steady_clock::now() + patience;
}

bool LineWriter::wait_until_writable() const {
  for (;;) {
    // After the deadline many lines may still be queued: none of them waits.
    const bool is_late = std::chrono::steady_clock::now() >= deadline_.load();
    pollfd wanted{fd_, POLLOUT, 0};
    if (::poll(&wanted, 1, is_late ? 0 : kPollMilliseconds) > 0) return true;
    if (is_late) return false;
  }
}

}  // namespace wsproxy::telemetry
